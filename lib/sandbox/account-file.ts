import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { ProblemError } from "../problem/index.ts";
import { Account, SANDBOX_ACCOUNT, type Identity } from "./account.ts";
import { syncFolder, writeDurably } from "./durable.ts";
import { batchText, logHead, readSnapshot, replayLog, snapshotText, type Changes } from "./account-text.ts";
import { createCa } from "../pki/ca.ts";
import { ObjectStore } from "./objects.ts";
import type { Change } from "./table.ts";

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
  onSaved: (listener: (changes: Changes) => void) => () => void;
  /** Saves, and lets the file go. */
  close: () => Promise<void>;
}

/** An account of this size, in bytes, is one file whenever nobody has it open. */
const SMALL = 1024 * 1024;

/**
 * The account kept in the file, or a new one where there is no file. A save appends to a log beside it; once most of
 * both is out of date they become a new snapshot. The file holds the sandbox CA's key: it is 0600 in a folder that
 * is 0700 if it is made here.
 * @throws ProblemError with exit code 4 where the file cannot be read or is not a whole account.
 */
export async function openAccountFile(file: string): Promise<AccountFile> {
  const { account, generation, bytes } = readAccount(file, { repair: true }) ?? {
    account: await newAccount(),
    generation: undefined,
    bytes: 0,
  };
  const accountFile = new SavedAccount(file, account, generation, bytes);
  if (generation === undefined) {
    await accountFile.checkpoint();
  }
  return accountFile;
}

/**
 * What the file and its log hold; undefined where there is no file. `repair`: cuts off what a crash left half
 * written.
 */
export function readAccount(
  file: string,
  { repair = false } = {},
): { account: Account; generation: string | undefined; bytes: number } | undefined {
  const text = stored(file);
  if (text === undefined) {
    return undefined;
  }
  try {
    const { account, generation } = readSnapshot(text);
    const log = stored(logOf(file)) ?? "";
    const good = replayLog(account, generation, log);
    if (repair && good < log.length) {
      truncateOrRemove(logOf(file), Buffer.byteLength(log.slice(0, good)));
    }
    return { account, generation, bytes: text.length + good };
  } catch (error) {
    throw new ProblemError([
      {
        code: "DP632",
        location: { file },
        what: `the sandbox account is damaged: ${error instanceof Error ? error.message : String(error)}`,
        why: "a new account in its place would forget every certificate that your bundles already carry",
        fix: "put back a copy of the file, or delete it to begin anew (every core and thing then gets a new certificate)",
      },
    ]);
  }
}

/** What never changes in an account that another process has open. Throws as openAccountFile() does. */
export function readIdentity(file: string): Identity {
  const found = readAccount(file);
  if (found === undefined) {
    throw new Error(`there is no ${file}`);
  }
  return found.account.identity;
}

async function newAccount(): Promise<Account> {
  return new Account({
    id: SANDBOX_ACCOUNT,
    dataPrefix: endpointPrefix(),
    credentialsPrefix: endpointPrefix(),
    ca: await createCa(),
  });
}

/** Like AWS's: a lower-case letter, then 13 lower-case letters and digits. */
function endpointPrefix(): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 14 }, (_, i) => alphabet[randomInt(i === 0 ? 26 : alphabet.length)]).join("");
}

/** The log of an account's file: account.json has account.log. */
function logOf(file: string): string {
  return join(dirname(file), `${basename(file, extname(file))}.log`);
}

function stored(file: string): string | undefined {
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

function truncateOrRemove(file: string, size: number): void {
  if (size === 0) {
    rmSync(file);
  } else {
    truncateSync(file, size);
  }
}

class SavedAccount implements AccountFile {
  readonly account: Account;
  readonly home: string;
  readonly objects: ObjectStore;
  readonly #file: string;
  readonly #log: string;
  #generation: string;
  /** Of the snapshot and the log together. */
  #bytes: number;
  /** Of the records that count. */
  #live: number;
  #stamps: string;
  #handle: FileHandle | undefined;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  readonly #listeners = new Set<(changes: Changes) => void>();

  constructor(file: string, account: Account, generation: string | undefined, bytes: number) {
    this.#file = file;
    this.#log = logOf(file);
    this.account = account;
    this.home = dirname(file);
    this.objects = new ObjectStore(this.home);
    this.#generation = generation ?? "";
    this.#bytes = bytes;
    this.#live = bytes;
    this.#stamps = this.#lookedAt();
  }

  save(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      this.#current = this.#write();
      return this.#current;
    });
    return this.#next;
  }

  settled(): Promise<void> {
    return this.#next ?? this.#current;
  }

  onSaved(listener: (changes: Changes) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    // Who made a change that could not be saved was told so.
    const isSaved = await this.save().then(
      () => true,
      () => false,
    );
    try {
      if (isSaved && this.#bytes < SMALL && existsSync(this.#log)) {
        await this.checkpoint();
      }
    } finally {
      await this.#handle?.close();
      this.#handle = undefined;
    }
  }

  async #write(): Promise<void> {
    const changes = this.#takeChanges();
    if (changes.size === 0) {
      return;
    }
    this.#checkStamps();
    const text = batchText(changes);
    await this.#append(text);
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > 2 * this.#live + SMALL) {
      await this.checkpoint();
    } else {
      this.#stamps = this.#lookedAt();
    }
    for (const listener of this.#listeners) {
      listener(changes);
    }
  }

  #takeChanges(): Changes {
    const changes = new Map<string, readonly Change[]>();
    for (const table of this.account.tables()) {
      const records = table.takeChanges();
      if (records.length > 0) {
        changes.set(table.name, records);
        for (const [, text = "", before] of records) {
          this.#live += text.length - before;
        }
      }
    }
    return changes;
  }

  async #append(text: string): Promise<void> {
    if (this.#handle === undefined) {
      this.#handle = await open(this.#log, "a", 0o600);
      if ((await this.#handle.stat()).size === 0) {
        await this.#handle.appendFile(logHead(this.#generation));
        await syncFolder(this.home);
      }
    }
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
  }

  /** Writes all as one snapshot. A log that a crash leaves beside it is of another generation, and so of nothing. */
  async checkpoint(): Promise<void> {
    this.#checkStamps();
    const generation = randomBytes(8).toString("hex");
    const { identity } = this.account;
    const text = snapshotText({ identity, tables: this.account.tables() }, generation);
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    const temporary = `${this.#file}.${process.pid}.tmp`;
    try {
      await writeDurably(temporary, text);
      await rename(temporary, this.#file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await this.#handle?.close();
    this.#handle = undefined;
    await rm(this.#log, { force: true });
    await syncFolder(this.home);
    this.#generation = generation;
    this.#bytes = this.#live = Buffer.byteLength(text);
    this.#stamps = this.#lookedAt();
  }

  /** Tells one writing of the files from another. */
  #lookedAt(): string {
    return `${stampOf(this.#file)} ${stampOf(this.#log)}`;
  }

  #checkStamps(): void {
    if (this.#lookedAt() !== this.#stamps) {
      throw new Error(`${this.#file} was changed by another program: end it and run again`);
    }
  }
}

function stampOf(file: string): string | undefined {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
