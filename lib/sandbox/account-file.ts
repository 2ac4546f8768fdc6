import { randomInt } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import { ProblemError } from "../problem/index.ts";
import { accountSchema, SANDBOX_ACCOUNT, type Account } from "./account.ts";
import { createCa } from "../pki/ca.ts";
import { ObjectStore } from "./objects.ts";

/** An account and its way to the disk. */
export interface AccountFile {
  readonly account: Account;
  /** The folder of its file. */
  readonly home: string;
  /** What lies in its S3. */
  readonly objects: ObjectStore;
  /**
   * Resolves when everything changed so far is on disk; concurrent callers share one write. Once a write
   * failed it rejects for good: the memory is ahead of the disk then.
   */
  save: () => Promise<void>;
  /** Resolves when no write is under way or due. Rejects as save() does. */
  settled: () => Promise<void>;
  /** Calls the listener after each change that was saved, until the function that it gives is called. */
  onSaved: (listener: () => void) => () => void;
}

/**
 * The account kept in the file, or a new one where there is no file. The file holds the sandbox CA's key: it
 * is 0600 in a folder that is 0700 if it is made here.
 * @throws ProblemError with exit code 4 where the file cannot be read or is not a whole account.
 */
export async function openAccountFile(file: string): Promise<AccountFile> {
  const stored = readStored(file);
  const account = stored === undefined ? await newAccount() : parseAccount(file, stored);
  const accountFile = new SavedAccount(file, account, stored);
  await accountFile.save();
  return accountFile;
}

async function newAccount(): Promise<Account> {
  return {
    format: 1,
    id: SANDBOX_ACCOUNT,
    dataPrefix: endpointPrefix(),
    credentialsPrefix: endpointPrefix(),
    ca: await createCa(),
    roles: new Map(),
    policies: new Map(),
    regions: new Map(),
  };
}

/** Like AWS's: a lower-case letter, then 13 lower-case letters and digits. */
function endpointPrefix(): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 14 }, (_, i) => alphabet[randomInt(i === 0 ? 26 : alphabet.length)]).join("");
}

function readStored(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    chmodSync(file, 0o600);
    return text;
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return undefined;
    }
    throw new ProblemError([
      {
        code: "DP631",
        location: { file },
        what: `the sandbox account cannot be read (${codeOf(error)})`,
        fix: "make the file readable and writable for you",
      },
    ]);
  }
}

function parseAccount(file: string, text: string): Account {
  let parsed: v.SafeParseResult<typeof accountSchema> | undefined;
  try {
    parsed = v.safeParse(accountSchema, JSON.parse(text));
  } catch {
    parsed = undefined;
  }
  if (parsed?.success === true) {
    return parsed.output;
  }
  const part = parsed === undefined ? undefined : (v.getDotPath(parsed.issues[0]) ?? "its top level");
  const where = part === undefined ? "it is not JSON" : `${part} is not as it was written`;
  throw new ProblemError([
    {
      code: "DP632",
      location: { file },
      what: `the sandbox account is damaged: ${where}`,
      why: "a new account in its place would forget every certificate that your bundles already carry",
      fix: "put back a copy of the file, or delete it to begin anew (every core and thing then gets a new certificate)",
    },
  ]);
}

/** A Map is written as the list of its values. */
function serialized(account: Account): string {
  return `${JSON.stringify(account, (_, value: unknown) => (value instanceof Map ? [...value.values()] : value))}\n`;
}

class SavedAccount implements AccountFile {
  readonly account: Account;
  readonly home: string;
  readonly objects: ObjectStore;
  readonly #file: string;
  #written: string | undefined;
  #stamp: string | undefined;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(file: string, account: Account, written: string | undefined) {
    this.#file = file;
    this.account = account;
    this.home = dirname(file);
    this.objects = new ObjectStore(this.home);
    this.#written = written;
    this.#stamp = stampOf(file);
  }

  save(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      this.#current = this.#write(serialized(this.account));
      return this.#current;
    });
    return this.#next;
  }

  settled(): Promise<void> {
    return this.#next ?? this.#current;
  }

  onSaved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #write(text: string): Promise<void> {
    if (text === this.#written) {
      return;
    }
    if (stampOf(this.#file) !== this.#stamp) {
      throw new Error(`${this.#file} was changed by another program: end it and run again`);
    }
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    const temporary = `${this.#file}.${process.pid}.tmp`;
    try {
      await writeDurably(temporary, text);
      await rename(temporary, this.#file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(this.#file));
    this.#written = text;
    this.#stamp = stampOf(this.#file);
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  // a leftover of a process that had the same id; "wx" below follows no link and keeps no mode
  await rm(file, { force: true });
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a rename survive a power cut. Windows cannot open a folder, and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") {
    return;
  }
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Tells one writing of the file from another. */
function stampOf(file: string): string | undefined {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
