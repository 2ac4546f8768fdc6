import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { get } from "../http/get.ts";
import { proxyOf } from "../http/proxy.ts";
import { ProblemError } from "../problem/index.ts";

export interface Download {
  readonly url: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Tells how far it is. */
  readonly report: (what: string) => void;
  readonly signal: AbortSignal;
}

/** How often a connection that breaks is taken up again before it is a failure. */
const TRIES = 4;

/**
 * A file that is fetched once and kept in the user's cache folder, under the last part of its URL. A download
 * that stopped goes on where it was (HTTP ranges, RFC 9110, 14), in this run or in a later one. A file with
 * another digest is given back, too, for the caller to refuse, but not kept. Throws a ProblemError (exit 1)
 * where the server has no such file or cannot be reached.
 */
export async function fetchOnce(download: Download): Promise<Buffer> {
  const name = download.url.slice(download.url.lastIndexOf("/") + 1);
  const folder = join(cacheFolder(), "nucleus");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  const isWanted = (bytes: Buffer): boolean =>
    createHash("sha256").update(bytes).digest("hex") === download.sha256;
  if (sizeOf(file) !== undefined) {
    const kept = readFileSync(file);
    if (isWanted(kept)) {
      return kept;
    }
    rmSync(file);
  }
  const part = `${file}.part`;
  let bytes: Buffer;
  // What an earlier run left may be of another file by this name: then once more from the beginning.
  for (;;) {
    const goesOn = (sizeOf(part) ?? 0) > 0;
    await fetchRest(download, name, part);
    bytes = readFileSync(part);
    if (isWanted(bytes)) {
      break;
    }
    rmSync(part);
    if (!goesOn) {
      return bytes;
    }
    download.report(`${name}: what was fetched before is of another file; from the beginning`);
  }
  renameSync(part, file);
  return bytes;
}

/** XDG Base Directory Specification; on Windows the folder for data that does not roam. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  return join(xdg || (process.platform === "win32" && local) || join(homedir(), ".cache"), "dospesos");
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

/** Fetches what is missing of a file that is there in part. */
async function fetchRest({ url, report, signal }: Download, name: string, part: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchFrom(sizeOf(part) ?? 0, url, name, part, report, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProblemError) {
        throw error;
      }
      const reason = (error as Error).message;
      if (attempt === TRIES) {
        throw failed(
          url,
          `the connection broke ${TRIES} times, last: ${reason}`,
          `${throughProxy(url)}build again when the network is there: it resumes where it stopped`,
        );
      }
      report(`${name}: the connection broke (${reason}), going on`);
      await pause(250 * 2 ** attempt, undefined, { signal });
    }
  }
}

async function fetchFrom(
  from: number,
  url: string,
  name: string,
  part: string,
  report: Download["report"],
  signal: AbortSignal,
): Promise<void> {
  const response = await get(url, {
    signal,
    headers: { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
  });
  const { statusCode: status = 0, statusMessage = "", headers } = response;
  if (status === 416 && from > 0) {
    // Nothing is left to fetch: the digest tells whether that is right.
    response.destroy();
    return;
  }
  if (status < 200 || status > 299) {
    response.destroy();
    throw failed(
      url,
      `the server answers ${status} ${statusMessage}`.trim(),
      "is there a nucleus of this version? see [greengrass] version",
    );
  }
  const goesOn = status === 206 && headers["content-range"]?.startsWith(`bytes ${from}-`) === true;
  if (status === 206 && !goesOn) {
    response.destroy();
    throw failed(url, "the server sends another part than was asked for", `remove ${part} and build again`);
  }
  let done = goesOn ? from : 0;
  const total = done + Number(headers["content-length"] ?? 0);
  if (goesOn) {
    report(`${name}: going on at ${share(done, total)}`);
  }
  const tenth = (): number => (total > 0 ? Math.floor((done / total) * 10) : 0);
  // Each piece is in the file before the next one is asked for: what came before a connection breaks is not
  // fetched again.
  const file = openSync(part, goesOn ? "a" : "w", 0o600);
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      const before = tenth();
      writeFileSync(file, piece);
      done += piece.length;
      if (tenth() > before) {
        report(`${name}: ${share(done, total)}`);
      }
    }
  } finally {
    closeSync(file);
  }
}

function throughProxy(url: string): string {
  const proxy = proxyOf(url);
  return proxy === undefined
    ? "set HTTPS_PROXY if this network has a proxy; "
    : `see to the proxy ${proxy}; `;
}

/** `40 % of 65.2 MB` */
function share(done: number, total: number): string {
  return `${total > 0 ? `${Math.floor((done / total) * 100)} % of ` : ""}${(total / 1e6).toFixed(1)} MB`;
}

function failed(url: string, what: string, fix: string): ProblemError {
  return new ProblemError([
    {
      code: "DP608",
      what: `${url} could not be fetched: ${what}`,
      why: "the installer needs this file",
      fix: `${fix}; or put the zip into a folder and name that: nucleus = FOLDER in [greengrass]`,
    },
  ]);
}
