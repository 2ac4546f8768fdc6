import * as v from "valibot";
import { isNamed, KINDS, rulesOf } from "../lib/settings/schema.ts";
import type { KeyRule } from "../lib/settings/key-rules.ts";

const HEAD = `# Settings

Made from \`lib/settings/schema.ts\` by \`npm run docs\`.

\`settings.ini\` has one section a subject and one \`key = value\` a line. A comment stands on a line of its own and
begins with \`;\` or \`#\`. Unknown sections and keys are errors, and all errors of a file are reported in one run.
`;

/** Every section and key: meaning, default, why it is checked, what to write. */
export function settingsPage(): string {
  return HEAD + KINDS.map(section).join("");
}

function section(kind: string): string {
  const title = isNamed(kind) ? `[${kind} NAME]` : `[${kind}]`;
  const about = isNamed(kind) ? "\nAny number of sections, each with a name of its own.\n" : "";
  const keys = [...(rulesOf(kind) ?? [])].map(([name, rule]) => keyText(name, rule));
  return `\n## \`${title}\`\n${about}\n${keys.join("\n")}`;
}

function keyText(name: string, rule: KeyRule): string {
  return [
    `### \`${name}\`\n`,
    `${sentence(rule.docs)}\n`,
    `- Default: ${defaultText(rule)}`,
    `- Why it is checked: ${rule.why}`,
    `- Write: ${rule.fix}`,
    "",
  ].join("\n");
}

function defaultText({ schema, inherits }: KeyRule): string {
  if (inherits !== undefined) {
    return `the value of \`${inherits}\``;
  }
  const result = v.safeParse(schema, undefined);
  if (!result.success) {
    return "none, the key is required";
  }
  return result.output === undefined || result.output === "" ? "none" : `\`${String(result.output)}\``;
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
