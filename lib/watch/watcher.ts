import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { watch } from "chokidar";
import { TEMPORARY_SUFFIX, type Changes } from "../engine/index.ts";
import type { Followed } from "./followed.ts";

export interface Watcher {
  /** Watches exactly this from now on, as far as it exists. Resolves when changes are seen. */
  follow: (what: Followed) => Promise<void>;
  /**
   * Resolves after the next change, when it has been quiet for a moment; at once if there was one since the
   * last call, or when it is closed.
   */
  changed: () => Promise<Changes>;
  close: () => Promise<void>;
}

/** How long it must be quiet after a change, and how long a burst may hold up a build, in milliseconds. */
const QUIET = 5;
const MAX_DELAY_MS = 200;
/** How long a file that was deleted may take to come back: some editors save so. */
const ABSENT = 50;
const POLL_EVERY = 200;
/**
 * The kernel forgets events when more than 16,384 of them wait, and nobody tells (inotify(7), IN_Q_OVERFLOW):
 * after so many in one turn of the event loop everything is looked at.
 */
const MANY = 1000;
/**
 * Milliseconds between two looks at the clock, and a step of it that only a sleep or somebody who sets it
 * makes.
 */
const CLOCK_EVERY = 1000;
const CLOCK_STEP = 1000;

interface Watched {
  /** Which folder stood here: one that was removed and made again must be watched anew. */
  readonly identity: string;
  /** Resolves when changes are seen, or when the watcher is closed. */
  readonly ready: Promise<void>;
  close: () => Promise<void>;
}

/**
 * Tells that something in some folders may have changed. The events are hints: what changed, the engine finds
 * out by looking. So a lost, doubled or wrong event costs at most a look. Each folder has a watcher of its
 * own, which costs one watch of the system and ends with the folder. Where the system's limits for watches
 * are reached, it polls and says so.
 */
export function createWatcher(ignored: (path: string) => boolean, onPolling: (why: string) => void): Watcher {
  const watched = new Map<string, Watched>();
  let polling = false;
  let closed = false;
  let hints = new Set<string>();
  /** What changed during a build and did not concern the one before: it may concern what this one has found. */
  const passed = new Set<string>();
  let isBuilding = true;
  let events = 0;
  let isAll = false;
  let wake: (() => void) | undefined;
  let followed: Omit<Followed, "folders"> = {
    concerns: () => true,
    isSource: () => false,
    linksTo: () => [],
  };
  const hintOfAll = (): void => {
    isAll = true;
    wake?.();
  };
  const hintOf = (path: string): void => {
    if (events++ === 0) {
      setImmediate(() => (events = 0));
    }
    if (events > MANY) {
      return hintOfAll();
    }
    consider(path);
  };
  const consider = (path: string): void => {
    if (!followed.concerns(path)) {
      if (isBuilding) {
        passed.add(path);
      }
      return;
    }
    hints.add(path);
    followed.linksTo(path).forEach((link) => hints.add(link));
    wake?.();
  };
  // What changed while the machine slept, nobody has seen.
  let clock = Date.now() - performance.now();
  const clockWatch = setInterval(() => {
    const before = clock;
    clock = Date.now() - performance.now();
    if (Math.abs(clock - before) > CLOCK_STEP) {
      hintOfAll();
    }
  }, CLOCK_EVERY);

  const open = (folder: string, identity: string): void => {
    const watcher = watch(folder, {
      ignoreInitial: true,
      depth: 0,
      atomic: false,
      usePolling: polling,
      interval: POLL_EVERY,
      binaryInterval: POLL_EVERY,
      // The system tells of a folder what happens to the files in it. Only who polls has to look at each of
      // them.
      ignored: polling
        ? (path) => path !== folder && (basename(path).endsWith(TEMPORARY_SUFFIX) || ignored(path))
        : (path) => path !== folder,
    });
    watcher.on("all", (_, path) => hintOf(path));
    watcher.on("raw", (_, name: string | null) => {
      hintOf(name === null ? folder : join(folder, name));
      // The system calls the folder itself by its name, too, where it is moved or removed.
      if (name === basename(folder)) {
        hintOf(folder);
      }
    });
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
    if (closed || polling || (code !== "ENOSPC" && code !== "EMFILE")) {
      return;
    }
    polling = true;
    onPolling(code);
    for (const [folder, { identity, close }] of [...watched]) {
      void close();
      open(folder, identity);
    }
  };
  const allReady = (): Promise<unknown> => Promise.all([...watched.values()].map(({ ready }) => ready));

  return {
    async follow(what) {
      const { folders } = (followed = what);
      isBuilding = false;
      passed.forEach(consider);
      passed.clear();
      const wanted = new Map(
        [...folders].flatMap((folder) => {
          const identity = identityOf(folder);
          return identity === undefined ? [] : [[folder, identity] as const];
        }),
      );
      for (const [folder, { close, identity }] of watched) {
        if (wanted.get(folder) === identity) {
          continue;
        }
        watched.delete(folder);
        await close();
        if (what.folders.has(folder)) {
          // It was moved away or replaced since the build looked, and the event went with its watch.
          hintOfAll();
        }
      }
      for (const [folder, identity] of wanted) {
        if (!closed && !watched.has(folder)) {
          open(folder, identity);
        }
      }
      await allReady();
      // If the system's limit was met on the way, those that poll have taken over.
      await allReady();
    },
    async changed() {
      const until = (ms: number): Promise<boolean> =>
        new Promise((resolve) => {
          const timer = ms === Infinity ? undefined : setTimeout(() => resolve(false), ms);
          wake = () => {
            clearTimeout(timer);
            resolve(true);
          };
        });
      if (!isAll && hints.size === 0 && !closed) {
        await until(Infinity);
      }
      const begin = performance.now();
      while (
        !closed &&
        (await until(hasVanished(hints, followed) ? ABSENT : QUIET)) &&
        performance.now() - begin < MAX_DELAY_MS
      ) {
        // The hints that came meanwhile belong to the same batch.
      }
      wake = undefined;
      const changes: Changes = isAll ? "all" : hints;
      [hints, isAll, isBuilding] = [new Set(), false, true];
      return changes;
    },
    async close() {
      closed = true;
      wake?.();
      clearInterval(clockWatch);
      await Promise.all([...watched.values()].map(({ close }) => close()));
    },
  };
}

function hasVanished(paths: ReadonlySet<string>, { isSource }: Pick<Followed, "isSource">): boolean {
  return paths.size <= 10 && [...paths].some((path) => isSource(path) && !existsSync(path));
}

function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(folder, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
