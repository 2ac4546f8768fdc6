import { fileURLToPath } from "node:url";
import { createGenerator, type Schema } from "ts-json-schema-generator";

/** The JSON schema of one line of `--json`, made from the types in lib/ui/events/. */
export function eventsSchema(): Schema {
  const schema = createGenerator({
    path: fileURLToPath(new URL("../lib/ui/events/index.ts", import.meta.url)),
    tsconfig: fileURLToPath(new URL("../tsconfig.json", import.meta.url)),
    type: "CommandEvent",
    topRef: false,
    skipTypeCheck: true,
    additionalProperties: false,
  }).createSchema("CommandEvent");
  return { ...schema, title: "One line of dospesos --json" };
}

const HEAD = `# Events

Made from \`lib/ui/events/\` and \`lib/engine/run/events.ts\` by \`npm run docs\`.

With \`--json\` every command writes one event a line to stdout, as JSON. What a person reads without it is another
rendering of the same events. [events.schema.json](events.schema.json) is the JSON schema of a line; the tests hold
every command against it. Characters that a terminal would obey (control characters, bidirectional overrides) are
written as \`\\u\` escapes. The last line of every command is \`exit\`. New events and new members may come; a program
that reads them ignores what it does not know.

`;

interface Definition {
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly items?: Definition;
  readonly anyOf?: readonly Definition[];
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly required?: readonly string[];
}

/** The table of events. */
export function eventsPage(): string {
  const schema = eventsSchema() as Definition & {
    readonly definitions: Readonly<Record<string, Definition>>;
  };
  const resolve = (one: Definition): Definition =>
    one.$ref === undefined ? one : schema.definitions[decodeURIComponent(one.$ref.split("/").at(-1)!)]!;
  const flat = (one: Definition): Definition[] => {
    const found = resolve(one);
    return found.anyOf === undefined ? [found] : found.anyOf.flatMap(flat);
  };
  const sections = flat(schema).map((event) => {
    const { type, ...members } = event.properties ?? {};
    const rows = Object.entries(members).map(([name, member]) => {
      const optional = event.required?.includes(name) === true ? "" : " (optional)";
      const about = member.description ?? resolve(member).description ?? "";
      return `- \`${name}\`${optional}: ${typeText(member)}${about === "" ? "" : `. ${oneLine(about)}`}\n`;
    });
    const about = event.description === undefined ? "" : `${oneLine(event.description)}\n\n`;
    return `## ${String(type?.const)}\n\n${about}${rows.join("")}`.trimEnd();
  });
  return `${HEAD}${sections.join("\n\n")}\n`;
}

function typeText(member: Definition): string {
  if (member.const !== undefined) {
    return `\`${JSON.stringify(member.const)}\``;
  }
  if (member.enum !== undefined) {
    return member.enum.map((one) => `\`${JSON.stringify(one)}\``).join(" or ");
  }
  if (member.items !== undefined) {
    return `list of ${typeText(member.items)}`;
  }
  if (member.$ref !== undefined) {
    return `[${decodeURIComponent(member.$ref.split("/").at(-1)!)}](events.schema.json)`;
  }
  if (member.anyOf !== undefined) {
    return member.anyOf.map(typeText).join(" or ");
  }
  return typeof member.type === "string" ? member.type : (member.type ?? ["any"]).join(" or ");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
