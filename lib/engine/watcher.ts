import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { watch } from "chokidar";
import { fileName, fullPath, TEMPORARY_SUFFIX } from "./files.ts";
import { Digest, Kind, makerOf, type NodeId } from "./model.ts";
import type { Session } from "./session.ts";

/** Paths below which something may have changed; "all" where nobody can tell. */
export type Changes = ReadonlySet<string> | "all";

export interface Watcher {
  /** Watches exactly this from now on, as far as it exists. Resolves when changes are seen. */
  follow(what: Followed): Promise<void>;
  /** Resolves after the next change, when it has been quiet for a moment; at once if there was one since the last call. */
  changed(): Promise<Changes>;
  close(): Promise<void>;
}

export interface Followed {
  readonly folders: ReadonlySet<string>;
  /** Whether a change of this path can matter: a log that is written in a watched folder must not start builds. */
  concerns(path: string): boolean;
}

/** How long it must be quiet after a change, and how long a burst may hold up a build, in milliseconds. */
const QUIET = 5;
const LONGEST = 200;
/** How long a file that was deleted may take to come back: some editors save so. */
const ABSENT = 50;
const POLL_EVERY = 200;
/** The kernel forgets events when more than 16,384 of them wait, and nobody tells (inotify(7), IN_Q_OVERFLOW): after so many in a row everything is looked at. */
const MANY = 1000;
/** Milliseconds between two looks at the clock, and a step of it that only a sleep or somebody who sets it makes. */
const CLOCK_EVERY = 1000;
const CLOCK_STEP = 1000;

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
  let hints = new Set<string>();
  let events = 0;
  let isAll = false;
  let wake: (() => void) | undefined;
  let concerns = (_path: string): boolean => true;
  const hintOfAll = (): void => {
    isAll = true;
    wake?.();
  };
  const hintOf = (path: string): void => {
    if (++events > MANY) return hintOfAll();
    if (!concerns(path)) return;
    hints.add(path);
    wake?.();
  };
  // What changed while the machine slept, nobody has seen.
  let clock = Date.now() - performance.now();
  const clockWatch = setInterval(() => {
    const before = clock;
    clock = Date.now() - performance.now();
    if (Math.abs(clock - before) > CLOCK_STEP) hintOfAll();
  }, CLOCK_EVERY);

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
      hintOfAll();
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
      if (!isAll && hints.size === 0) await until(Infinity);
      const begin = performance.now();
      while ((await until(hasVanished(hints) ? ABSENT : QUIET)) && performance.now() - begin < LONGEST);
      wake = undefined;
      const changes: Changes = isAll ? "all" : hints;
      [hints, events, isAll] = [new Set(), 0, false];
      return changes;
    },
    async close() {
      closed = true;
      clearInterval(clockWatch);
      await Promise.all([...watched.values()].map(({ close }) => close()));
    },
  };
}

function hasVanished(paths: ReadonlySet<string>): boolean {
  return paths.size <= 10 && [...paths].some((path) => !existsSync(path));
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
  const searched = new Set<string>();
  const isSource = (node: NodeId): boolean => state.nodeDigest[node] !== Digest.unknown && (state.graph === undefined || makerOf(state.graph, node) === undefined);
  const add = (folder: string): void => {
    for (let at = folder; !folders.has(at); at = dirname(at)) {
      folders.add(at);
      if (!at.startsWith(`${root}/`)) break;
    }
  };
  let last = "";
  for (let node = 1; node < state.nodeName.length; node++) {
    if (state.nodeKind[node] !== Kind.file || !isSource(node)) continue;
    const name = state.nodeName[node]!;
    const isFolder = state.nodeDigest[node] === Digest.directory;
    if (isFolder) searched.add(fullPath(root, name));
    const folder = isFolder ? name : posix.dirname(name);
    if (folder !== last) add(fullPath(root, folder));
    last = folder;
  }
  const concerns = (path: string): boolean => {
    const node = state.find(Kind.file, fileName(root, path));
    return (node !== undefined && isSource(node)) || folders.has(path) || searched.has(dirname(path));
  };
  return { folders, concerns };
}
