import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { watch } from "chokidar";
import { fullPath, TEMPORARY_SUFFIX } from "./files.ts";
import { Digest, Kind } from "./model.ts";
import type { Session } from "./session.ts";

export interface Watcher {
  /** Watches exactly this from now on, as far as it exists. Resolves when changes are seen. */
  follow(what: Followed): Promise<void>;
  /** Resolves after the next change, when it has been quiet for a moment; at once if there was one since the last call. */
  changed(): Promise<void>;
  close(): Promise<void>;
}

export interface Followed {
  readonly folders: ReadonlySet<string>;
  /** Whether a change of this path can matter: a log that is written in a watched folder must not start builds. */
  concerns(path: string): boolean;
}

/** How long it must be quiet after a change, and how long a burst may hold up a build, in milliseconds. */
const QUIET = 10;
const LONGEST = 200;
const POLL_EVERY = 200;

interface Watched {
  /** Which folder stood here: one that was removed and made again must be watched anew. */
  readonly identity: string;
  /** Resolves when changes are seen, or when the watcher is closed. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Tells that something in some folders may have changed. The events are hints: what changed, the engine finds out by looking. So
 * a lost, doubled or wrong event costs at most a look. Each folder has a watcher of its own, which costs one watch of the system
 * and ends with the folder. Where the system's limits for watches are reached, it polls and says so.
 */
export function createWatcher(ignored: (path: string) => boolean, onPolling: (why: string) => void): Watcher {
  const watched = new Map<string, Watched>();
  let polling = false;
  let closed = false;
  let pending = false;
  let wake: (() => void) | undefined;
  let concerns = (_path: string): boolean => true;
  const hint = (): void => {
    pending = true;
    wake?.();
  };
  const hintOf = (path: string): void => {
    if (concerns(path)) hint();
  };

  const open = (folder: string, identity: string): void => {
    const watcher = watch(folder, {
      ignoreInitial: true, depth: 0, atomic: false, usePolling: polling, interval: POLL_EVERY, binaryInterval: POLL_EVERY,
      // The system tells of a folder what happens to the files in it. Only who polls has to look at each of them.
      ignored: polling ? (path) => path !== folder && (basename(path).endsWith(TEMPORARY_SUFFIX) || ignored(path)) : (path) => path !== folder,
    });
    watcher.on("all", (_, path) => hintOf(path));
    watcher.on("raw", (_, name: string | null) => hintOf(name === null ? folder : join(folder, name)));
    watcher.on("error", (error) => pollInstead((error as NodeJS.ErrnoException).code ?? ""));
    let settle = (): void => {};
    const ready = new Promise<void>((resolve) => (settle = resolve));
    watcher.once("ready", () => {
      // What changed before the watch was there is found by looking once more.
      hint();
      settle();
    });
    const close = (): Promise<void> => {
      settle();
      return watcher.close();
    };
    watched.set(folder, { identity, ready, close });
  };

  const pollInstead = (code: string): void => {
    if (closed || polling || (code !== "ENOSPC" && code !== "EMFILE")) return;
    polling = true;
    onPolling(code);
    for (const [folder, { identity, close }] of [...watched]) {
      void close();
      open(folder, identity);
    }
  };
  const allReady = (): Promise<unknown> => Promise.all([...watched.values()].map(({ ready }) => ready));

  return {
    async follow({ folders, concerns: theirs }) {
      concerns = theirs;
      const wanted = new Map([...folders].flatMap((folder) => {
        const identity = identityOf(folder);
        return identity === undefined ? [] : [[folder, identity] as const];
      }));
      for (const [folder, { close, identity }] of watched) {
        if (wanted.get(folder) === identity) continue;
        watched.delete(folder);
        await close();
      }
      for (const [folder, identity] of wanted) if (!closed && !watched.has(folder)) open(folder, identity);
      await allReady();
      // If the system's limit was met on the way, those that poll have taken over.
      await allReady();
    },
    async changed() {
      const until = (ms: number): Promise<boolean> => new Promise((resolve) => {
        const timer = ms === Infinity ? undefined : setTimeout(() => resolve(false), ms);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
      if (!pending) await until(Infinity);
      const begin = performance.now();
      do pending = false;
      while ((await until(QUIET)) && performance.now() - begin < LONGEST);
      wake = undefined;
    },
    async close() {
      closed = true;
      await Promise.all([...watched.values()].map(({ close }) => close()));
    },
  };
}

function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(folder, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

/**
 * The folders of everything that a project was made from, those that its globs search, and the ones of the project above them:
 * where a folder is missing, moved or made again, it is the one above it that tells.
 */
export function whatToWatch({ root, state }: Session): Followed {
  const folders = new Set([root]);
  const files = new Set<string>();
  const searched = new Set<string>();
  const add = (folder: string): void => {
    for (let at = folder; !folders.has(at); at = dirname(at)) {
      folders.add(at);
      if (!at.startsWith(`${root}/`)) break;
    }
  };
  for (let node = 1; node < state.nodeName.length; node++) {
    if (state.nodeKind[node] !== Kind.file || state.graph?.producer.has(node) === true || state.nodeDigest[node] === Digest.unknown) continue;
    const path = fullPath(root, state.nodeName[node]!);
    files.add(path);
    if (state.nodeDigest[node] === Digest.directory) searched.add(path);
    add(state.nodeDigest[node] === Digest.directory ? path : dirname(path));
  }
  return { folders, concerns: (path) => files.has(path) || folders.has(path) || searched.has(dirname(path)) };
}
