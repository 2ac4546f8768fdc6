import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { watch, type FSWatcher } from "chokidar";
import { fullPath, TEMPORARY_SUFFIX } from "./files.ts";
import { Digest, Kind } from "./model.ts";
import type { Session } from "./session.ts";

export interface Watcher {
  /** Watches exactly these folders from now on; resolves when changes in them are seen. */
  follow(folders: ReadonlySet<string>): Promise<void>;
  /** Resolves after the next change, when it has been quiet for a moment; at once if there was one since the last call. */
  changed(): Promise<void>;
  close(): Promise<void>;
}

/** How long it must be quiet after a change, and how long a burst may hold up a build, in milliseconds. */
const QUIET = 10;
const LONGEST = 200;

/**
 * Tells that something in some folders may have changed. The events are hints: what changed, the engine finds out by looking. So
 * a lost, doubled or wrong event costs at most a look. Where the system's limits for watches are reached, it polls and says so.
 */
export function createWatcher(ignored: (path: string) => boolean, onPolling: (why: string) => void): Watcher {
  let polling = false;
  let watcher: FSWatcher | undefined;
  let followed: ReadonlySet<string> = new Set();
  let pending = false;
  let wake: (() => void) | undefined;
  const hint = (): void => {
    pending = true;
    wake?.();
  };

  const open = (): FSWatcher => {
    const opened = watch([], {
      ignoreInitial: true, depth: 0, atomic: false, usePolling: polling, interval: 200, followSymlinks: true,
      ignored: (path) => basename(path).endsWith(TEMPORARY_SUFFIX) || ignored(path),
    });
    opened.on("all", hint);
    opened.on("raw", hint);
    opened.on("error", (error) => {
      const { code } = error as NodeJS.ErrnoException;
      if (polling || (code !== "ENOSPC" && code !== "EMFILE")) return;
      polling = true;
      onPolling(code);
      void opened.close();
      watcher = open();
      watcher.add([...followed]);
      hint();
    });
    return opened;
  };

  return {
    async follow(folders) {
      const wanted = new Set([...folders].map(nearestExisting));
      if (watcher === undefined) {
        watcher = open();
        followed = wanted;
        const ready = new Promise<void>((resolve) => watcher!.once("ready", () => resolve()));
        watcher.add([...wanted]);
        return ready;
      }
      const added = [...wanted].filter((folder) => !followed.has(folder));
      const dropped = [...followed].filter((folder) => !wanted.has(folder));
      followed = wanted;
      if (dropped.length > 0) watcher.unwatch(dropped);
      // No event tells when these are watched: the caller looks at the disk once more after follow().
      if (added.length > 0) watcher.add(added);
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
      await watcher?.close();
    },
  };
}

function nearestExisting(folder: string): string {
  let at = folder;
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  return at;
}

/** The folders of everything that a project was made from, and those that its globs search. */
export function foldersToWatch({ root, state }: Session): ReadonlySet<string> {
  const folders = new Set([root]);
  for (let node = 1; node < state.nodeName.length; node++) {
    if (state.nodeKind[node] !== Kind.file || state.graph?.producer.has(node) === true || state.nodeDigest[node] === Digest.unknown) continue;
    const path = fullPath(root, state.nodeName[node]!);
    folders.add(state.nodeDigest[node] === Digest.directory ? path : dirname(path));
  }
  return folders;
}
