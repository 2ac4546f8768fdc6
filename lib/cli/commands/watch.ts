import { join } from "node:path";
import {
  acquireLock, build, createWatcher, foldersToWatch, openStore, ProblemError, STATE_FOLDER, type EngineEvent, type Session, type Store, type Watcher,
} from "../../engine/index.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos watch`: builds, then builds again after every batch of saves, until it is interrupted. Effects never run; what became
 * stale of them is told when it changes. A broken file is told and waited for.
 */
export async function watch(run: Run): Promise<number> {
  const { root, screen, signal } = run;
  const watcher = createWatcher((path) => isForeign(root, path), (why) => {
    screen.emit({ type: "note", what: `the system's limit for watches is reached (${why}): polling every 200 ms; raise fs.inotify.max_user_watches or max_user_instances with sysctl` });
  });
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  const batches = new Batches(run);
  try {
    await batches.build();
    await watcher.follow(batches.folders());
    screen.say("watching: save a file and what depends on it is made again; Ctrl-C ends");
    // What changed before the watches were there is found by looking once more.
    for (let look = true; !signal.aborted; look = await followChanges(watcher, batches)) {
      if (!look) await Promise.race([watcher.changed(), stopped]);
      if (signal.aborted) break;
      await batches.build();
    }
  } finally {
    await batches.close();
    await watcher.close();
  }
  return 0;
}

/** Returns whether new folders are watched, so that one more look is due. */
async function followChanges(watcher: Watcher, batches: Batches): Promise<boolean> {
  const folders = batches.folders();
  if (!batches.haveChanged(folders)) return false;
  await watcher.follow(folders);
  return true;
}

class Batches {
  readonly #run: Run;
  #session: Session | undefined;
  #store: Store | undefined;
  #folders: ReadonlySet<string> = new Set();
  /** The effects that were told to be stale. */
  #told = "";

  constructor(run: Run) {
    this.#run = run;
  }

  async build(): Promise<void> {
    const { args, root, screen, signal, open } = this.#run;
    const begin = performance.now();
    const lock = await acquireLock(root, { command: "dospesos watch", wait: true, onWait: (holder) => screen.emit({ type: "waiting", holder }) });
    const waiting: string[] = [];
    const emit = (event: EngineEvent): void => {
      const held = event.type === "step" && event.effect && event.status === "skipped";
      if (held) waiting.push(event.target);
      else screen.emit(event);
    };
    try {
      if (this.#store?.isCurrent() === false) this.#session = undefined;
      if (this.#session === undefined) {
        this.#session = open();
        this.#store = openStore(this.#session, emit);
      } else {
        this.#session.lookAgain();
      }
      const summary = await build(this.#session, this.#store!, { ...args, force: false, keepGoing: true, effects: "hold", consent: async () => false }, emit, signal);
      this.#store!.foldIfLong();
      const ms = Math.round(performance.now() - begin);
      if (summary.ran + summary.failed > 0) screen.emit({ type: "end", ran: summary.ran, fresh: summary.fresh, failed: summary.failed, skipped: summary.skipped, ms });
      if (summary.ran > 0) screen.say(`${summary.ran} made in ${ms} ms`);
      this.#tellWaiting(waiting);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      screen.problems(error.problems);
    } finally {
      lock.release();
    }
  }

  /** Says which markers are stale, when that changed. */
  #tellWaiting(waiting: readonly string[]): void {
    const told = waiting.join("\0");
    if (told === this.#told) return;
    this.#told = told;
    if (waiting.length > 0) this.#run.screen.emit({ type: "note", what: `stale, and only dospesos build applies it: ${waiting.join(", ")}` });
  }

  /** Leaves a snapshot behind, so that the next build starts from it, unless another process has gone on from here. */
  async close(): Promise<void> {
    const lock = await acquireLock(this.#run.root, { command: "dospesos watch", wait: true, onWait: () => {} });
    if (this.#store?.isCurrent() === true) this.#store.fold();
    lock.release();
  }

  folders(): ReadonlySet<string> {
    return this.#session === undefined ? new Set([this.#run.root]) : foldersToWatch(this.#session);
  }

  haveChanged(folders: ReadonlySet<string>): boolean {
    const same = folders.size === this.#folders.size && [...folders].every((folder) => this.#folders.has(folder));
    this.#folders = folders;
    return !same;
  }
}

function isForeign(root: string, path: string): boolean {
  return [STATE_FOLDER, ".git", "node_modules"].some((name) => path === join(root, name) || path.startsWith(`${join(root, name)}/`));
}
