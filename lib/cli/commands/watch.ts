import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  acquireLock,
  build,
  openStore,
  STATE_FOLDER,
  type Changes,
  type Emit,
  type EngineEvent,
  type Lock,
  type Session,
  type Store,
} from "../../engine/index.ts";
import { whatToWatch, type Followed } from "../../watch/followed.ts";
import { createWatcher } from "../../watch/watcher.ts";
import { problemsFor } from "../problems.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos watch`: builds, then builds again after every batch of saves, until it is interrupted. Effects
 * never run; what became stale of them is told when it changes. A broken file is told and waited for.
 */
export async function watch(run: Run): Promise<number> {
  const { root, screen, signal } = run;
  const watcher = createWatcher(
    (path) => isForeign(root, path),
    (why) => {
      screen.emit({
        type: "note",
        what:
          `the system's limit for watches is reached (${why}): polling every 200 ms; raise ` +
          "fs.inotify.max_user_watches or max_user_instances with sysctl",
      });
    },
  );
  // A race against the signal would leave something behind on it with each batch.
  signal.addEventListener("abort", () => void watcher.close());
  const batches = new Batches(run);
  try {
    let changes: Changes = "all";
    for (let first = true; !signal.aborted; first = false) {
      await batches.build(changes);
      await watcher.follow(batches.followed());
      if (first && !signal.aborted) {
        screen.say("watching: save a file and what depends on it is made again; Ctrl-C ends");
      }
      changes = await watcher.changed();
    }
  } finally {
    await batches.close();
    await watcher.close();
  }
  return 0;
}

interface Opened {
  readonly session: Session;
  readonly store: Store;
}

class Batches {
  readonly #run: Run;
  /** The last session, even if its state could not be opened for writing: it knows what to watch. */
  #session: Session | undefined;
  #opened: Opened | undefined;
  /** The effects that were told to be stale. */
  #told = "";
  #stopped = true;

  constructor(run: Run) {
    this.#run = run;
  }

  async build(changes: Changes): Promise<void> {
    const { args, root, screen, signal } = this.#run;
    const begin = performance.now();
    let lock: Lock | undefined;
    const waiting: string[] = [];
    const emit = (event: EngineEvent): void => {
      const held = event.type === "step" && event.effect !== undefined && event.status === "skipped";
      if (held) {
        waiting.push(event.effect);
      } else {
        screen.emit(event);
      }
    };
    try {
      lock = await acquireLock(root, {
        command: "dospesos watch",
        wait: true,
        signal,
        onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
      });
      const { session, store } = this.#open(changes, emit);
      const summary = await build(
        session,
        store,
        { ...args, force: false, keepGoing: true, effects: "hold", consent: async () => false },
        emit,
        signal,
      );
      if (!store.checkpointIfLarge()) {
        this.#opened = undefined;
      }
      this.#stopped = false;
      const ms = Math.round(performance.now() - begin);
      if (summary.ran + summary.failed > 0) {
        screen.emit({
          type: "end",
          ran: summary.ran,
          fresh: summary.fresh,
          failed: summary.failed,
          skipped: summary.skipped,
          ms,
        });
      }
      if (summary.ran > 0) {
        screen.say(`${summary.ran} made in ${ms} ms`);
      }
      // What an interrupt kept from being reached may be fresh.
      if (!signal.aborted) {
        this.#tellWaiting(waiting);
      }
    } catch (error) {
      // A file that vanished while it was read, a full disk: what stops one batch need not stop the next one.
      if (!signal.aborted) {
        screen.problems(problemsFor(error));
      }
      this.#stopped = true;
    } finally {
      lock?.release();
    }
  }

  /** The project as it was left by the last batch; read again if another process has built since. */
  #open(changes: Changes, emit: Emit): Opened {
    if (this.#opened !== undefined && this.#opened.store.isCurrent()) {
      this.#opened.session.invalidate(this.#stopped ? "all" : changes);
      return this.#opened;
    }
    this.#opened?.store.journal.close();
    this.#opened = undefined;
    this.#session = this.#run.open();
    return (this.#opened = { session: this.#session, store: openStore(this.#session, emit) });
  }

  /** Says which markers are stale, when that changed. */
  #tellWaiting(waiting: readonly string[]): void {
    const told = waiting.join("\0");
    if (told === this.#told) {
      return;
    }
    this.#told = told;
    if (waiting.length > 0) {
      this.#run.screen.emit({
        type: "note",
        what: `stale, and only dospesos build applies it: ${waiting.join(", ")}`,
      });
    }
  }

  /**
   * Leaves a snapshot behind, so that the next build starts from it, unless another process goes on from
   * here.
   */
  async close(): Promise<void> {
    if (this.#opened === undefined) {
      return;
    }
    const { root } = this.#run;
    const lock = await acquireLock(root, {
      command: "dospesos watch",
      wait: false,
      signal: new AbortController().signal,
      onWait: () => {},
    }).catch(() => undefined);
    if (lock === undefined) {
      return;
    }
    if (this.#opened.store.isCurrent()) {
      this.#opened.store.checkpoint();
    }
    lock.release();
  }

  /** After a batch that stopped, anything may put it right. */
  followed(): Followed {
    const { root } = this.#run;
    const known =
      this.#session === undefined
        ? { folders: new Set([root]), isSource: () => false, concerns: () => true }
        : whatToWatch(this.#session);
    if (!this.#stopped) {
      return known;
    }
    // Where the project itself was moved away, the folder above tells when it is back. It may be a busy one,
    // so only then.
    return {
      ...known,
      folders: existsSync(root) ? known.folders : new Set([dirname(root)]),
      concerns: () => true,
    };
  }
}

function isForeign(root: string, path: string): boolean {
  return [STATE_FOLDER, ".git", "node_modules"].some(
    (name) => path === join(root, name) || path.startsWith(`${join(root, name)}/`),
  );
}
