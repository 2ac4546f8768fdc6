import { crc32 } from "node:zlib";
import * as v from "valibot";
import { Account } from "./account.ts";
import { identitySchema, type Identity } from "./records.ts";
import { accountOfFormat1 } from "./account-format1.ts";
import type { Change } from "./table.ts";

// Two files, both of lines, so that a record is found without parsing it, and parsed when it is asked for.
//
// The snapshot, account.json, is JSON as a whole:
//   {"format":2,"generation":"…","id":"…",…,"tables":{
//   "eu-west-1/things":[
//   ["core-1",{…}],
//   ["core-2",{…}]
//   ]
//   },"crc":"…"}                     CRC-32 of all bytes before the comma, in 8 hex digits
//
// The log, account.log, holds what was saved since, a batch for each save: all of it counts, or nothing.
//   {"format":2,"generation":"…"}    of the snapshot that it belongs to: a log of another one counts for nothing
//   7c3f02aa 2                       CRC-32 of the lines that follow, and how many they are
//   ["eu-west-1/things","core-3",{…}]
//   ["eu-west-1/things","core-1",null]

const FORMAT = 2;

const head = v.looseObject({ format: v.literal(FORMAT), generation: v.string() });

export interface Snapshot {
  readonly account: Account;
  /** Of which snapshot a log must be; undefined where the account is of an older format, which has no log. */
  readonly generation: string | undefined;
}

/** What a save changed: the records of a table that were set or deleted. */
export type Changes = ReadonlyMap<string, readonly Change[]>;

export function snapshotText({ identity, tables }: AccountContent, generation: string): string {
  const start = JSON.stringify({ format: FORMAT, generation, ...identity }).slice(0, -1);
  const sections: string[] = [];
  for (const table of tables) {
    const lines = [...table.entries()].map(([key, text]) => `[${JSON.stringify(key)},${text}]`);
    if (lines.length > 0) {
      sections.push(`${JSON.stringify(table.name)}:[\n${lines.join(",\n")}\n]`);
    }
  }
  const whole = `${start},"tables":{\n${sections.join(",\n")}\n}`;
  return `${whole},"crc":"${crcOf(whole)}"}\n`;
}

interface AccountContent {
  readonly identity: Identity;
  readonly tables: Iterable<{ readonly name: string; entries: () => Iterable<readonly [string, string]> }>;
}

/** @throws Error that says what is not as it was written. */
export function readSnapshot(text: string): Snapshot {
  const end = text.lastIndexOf(',"crc":"');
  const isAsWritten = end > 0 && text.slice(end) === `,"crc":"${crcOf(text.slice(0, end))}"}\n`;
  if (!isAsWritten) {
    return readEdited(text);
  }
  const lines = text.slice(0, end).split("\n");
  const { account, generation } = begun(JSON.parse(`${lines[0]!}}}`));
  let table: ReturnType<Account["table"]>;
  for (const line of lines.slice(1)) {
    if (line.startsWith('"')) {
      table = account.table(JSON.parse(line.slice(0, -2)) as string);
      if (table === undefined) {
        throw new Error(`nobody knows ${line.slice(0, -2)}`);
      }
    } else if (line.startsWith("[")) {
      const [key, value] = recordIn(line, 1);
      table!.load(key, line.slice(value, line.endsWith(",") ? -2 : -1));
    }
  }
  return { account, generation };
}

/** A snapshot that somebody edited, or one of an older format: each record is checked. */
function readEdited(text: string): Snapshot {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const older = accountOfFormat1(parsed);
  if (older !== undefined) {
    return { account: older, generation: undefined };
  }
  const found = begun(parsed);
  const { tables } = parsed as { tables: unknown };
  const records = v.record(v.string(), v.array(v.tuple([v.string(), v.unknown()])));
  for (const [name, entries] of Object.entries(v.parse(records, tables))) {
    const table = found.account.table(name);
    if (table === undefined) {
      throw new Error(`nobody knows ${name}`);
    }
    for (const [key, value] of entries) {
      table.load(key, JSON.stringify(value));
    }
    const wrong = table.checkAll();
    if (wrong !== undefined) {
      throw new Error(`${name} ${wrong} is not as it was written`);
    }
  }
  return found;
}

function begun(parsed: unknown): { account: Account; generation: string } {
  const found = v.safeParse(head, parsed);
  if (!found.success) {
    throw new Error("its top level is not as it was written");
  }
  const { format: _, generation, tables: __, crc: ___, ...identity } = found.output;
  const checked = v.safeParse(identitySchema, identity);
  if (!checked.success) {
    throw new Error(`${v.getDotPath(checked.issues[0]) ?? "its top level"} is not as it was written`);
  }
  return { account: new Account(checked.output), generation };
}

export function logHead(generation: string): string {
  return `${JSON.stringify({ format: FORMAT, generation })}\n`;
}

export function batchText(changes: Changes): string {
  const lines: string[] = [];
  for (const [table, records] of changes) {
    const name = JSON.stringify(table);
    for (const [key, text] of records) {
      lines.push(`[${name},${JSON.stringify(key)},${text ?? "null"}]\n`);
    }
  }
  const body = lines.join("");
  return `${crcOf(body)} ${lines.length}\n${body}`;
}

/**
 * Brings the account up to what the log says, and gives how much of the log counts: a last batch that was cut does
 * not.
 * @throws Error where more follows upon a batch that is damaged.
 */
export function replayLog(account: Account, generation: string | undefined, text: string): number {
  const first = text.indexOf("\n") + 1;
  if (first === 0 || generation === undefined || text.slice(0, first) !== logHead(generation)) {
    return 0;
  }
  let at = first;
  while (at < text.length) {
    const end = batchEnd(text, at);
    if (end === undefined) {
      if (/\n[0-9a-f]{8} \d+\n/.test(text.slice(at))) {
        throw new Error(`the batch at ${at} of its log is not as it was written`);
      }
      return at;
    }
    for (const line of text.slice(text.indexOf("\n", at) + 1, end - 1).split("\n")) {
      replayLine(account, line);
    }
    at = end;
  }
  return at;
}

/** Where the batch ends that begins here; undefined where it is not whole. */
function batchEnd(text: string, at: number): number | undefined {
  const [, crc, count] = /^([0-9a-f]{8}) (\d+)\n/.exec(text.slice(at, at + 20)) ?? [];
  if (crc === undefined) {
    return undefined;
  }
  const start = text.indexOf("\n", at) + 1;
  let end = start;
  for (let left = Number(count); left > 0; left--) {
    end = text.indexOf("\n", end) + 1;
    if (end === 0) {
      return undefined;
    }
  }
  return crcOf(text.slice(start, end)) === crc ? end : undefined;
}

function replayLine(account: Account, line: string): void {
  const [name, keyStart] = recordIn(line, 1);
  const [key, value] = recordIn(line, keyStart);
  const table = account.table(name);
  if (table === undefined) {
    throw new Error(`nobody knows ${name}`);
  }
  const text = line.slice(value, -1);
  if (text === "null") {
    table.forget(key);
  } else {
    table.load(key, text);
  }
}

/** The JSON string that begins here, and where what follows upon its comma begins. */
function recordIn(line: string, start: number): [text: string, next: number] {
  let end = start + 1;
  while (line[end] !== '"') {
    end += line[end] === "\\" ? 2 : 1;
  }
  return [JSON.parse(line.slice(start, end + 1)) as string, end + 2];
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
