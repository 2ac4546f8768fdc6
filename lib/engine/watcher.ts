import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { watch } from "chokidar";
import { fullPath, TEMPORARY_SUFFIX } from "./files.ts";
import { Digest, Kind } from "./model.ts";
import type { Session } from "./session.ts";

export interface Watcher {
  /** Watches exactly these folders from now on, as far as they exist. Resolves when changes in them are seen. */
  follow(folders: ReadonlySet<string>): Promise<void>;
  /** Resolves after the next change, when it has been quiet for a moment; at once if there was one since the last call. */
  changed(): Promise<void>;
  close(): Promise<void>;
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
  const hint = (): void => {
    pending = true;
    wake?.();
  };

  const open = (folder: string, identity: string): void => {
    const watcher = watch(folder, {
      ignoreInitial: true, depth: 0, atomic: false, usePolling: polling, interval: POLL_EVERY, binaryInterval: POLL_EVERY,
      // The system tells of a folder what happens to the files in it. Only who polls has to look at each of them.
      ignored: polling ? (path) => path !== folder && (basename(path).endsWith(TEMPORARY_SUFFIX) || ignored(path)) : (path) => path !== folder,
    });
    watcher.on("all", hint);
    watcher.on("raw", hint);
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
    async follow(folders) {
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
export function foldersToWatch({ root, state }: Session): ReadonlySet<string> {
  const folders = new Set([root]);
  const add = (folder: string): void => {
    for (let at = folder; !folders.has(at); at = dirname(at)) {
      folders.add(at);
      if (!at.startsWith(`${root}/`)) break;
    }
  };
  for (let node = 1; node < state.nodeName.length; node++) {
    if (state.nodeKind[node] !== Kind.file || state.graph?.producer.has(node) === true || state.nodeDigest[node] === Digest.unknown) continue;
    const path = fullPath(root, state.nodeName[node]!);
    add(state.nodeDigest[node] === Digest.directory ? path : dirname(path));
  }
  return folders;
}
