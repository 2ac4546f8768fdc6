import * as assert from "uvu/assert";
import { type Problem, ProblemError, problemText } from "../../lib/problem/index.ts";
import { parseSettings, type SettingsFile } from "../../lib/settings/index.ts";
import { iniValues } from "../../lib/settings/ini.ts";
import { scan } from "../../lib/settings/scan.ts";

/** Settings with nothing but what is required; the next line is line 9. */
export const LEAST = [
  "[aws]",
  "account = sandbox",
  "region = eu-west-1",
  "[instance]",
  "name = dospesos",
  "[greengrass]",
  "version = 2.16.0",
  "[core core-1]",
  "",
].join("\n");

export function parsed(text: string | Uint8Array): SettingsFile {
  return parseSettings(typeof text === "string" ? new TextEncoder().encode(text) : text, "settings.ini");
}

/** What a line says before its key judges it: the text behind `key =`, without quotes. */
export function written(text: string): unknown {
  const { sections, problems } = scan(text, "settings.ini");
  assert.equal(problems, []);
  const greengrass = iniValues(sections.values())["greengrass"];
  const value = String(greengrass?.["no_proxy"]);
  assert.is(value, sections.get("greengrass")?.entries.get("no_proxy")?.value);
  return value;
}

/** The problems that a body throws, in their order. */
export function problemsOf(body: () => unknown): readonly Problem[] {
  try {
    body();
  } catch (error) {
    if (!(error instanceof ProblemError)) {
      throw error;
    }
    assert.is(error.exitCode, 2);
    return error.problems;
  }
  assert.unreachable("nothing was refused");
  return [];
}

/**
 * Holds that the text has one problem and no other: `head` is its first line without the code; a why and a
 * fix are there.
 */
export function refused(text: string | Uint8Array, head: string, fix?: string): void {
  const problems = problemsOf(() => parsed(text));
  assert.is(
    problems.map((one) => (problemText(one).split("\n")[0] ?? "").replace(/ error DP\d+:/, "")).join("\n"),
    head,
  );
  assert.ok(problems[0]?.why);
  assert.ok(problems[0]?.fix);
  if (fix !== undefined) {
    assert.match(problems[0]?.fix ?? "", fix);
  }
}

/**
 * LEAST with `key = value` in place of what its section says of the key; the key is added where it is not
 * there.
 */
export function withValue(section: string, key: string, value: string): string {
  const lines = LEAST.split("\n");
  const start = lines.indexOf(`[${section}]`);
  const there = lines.findIndex((line, i) => i > start && line.startsWith(`${key} =`));
  lines.splice(there === -1 ? start + 1 : there, there === -1 ? 0 : 1, `${key} = ${value}`);
  return lines.join("\n");
}
