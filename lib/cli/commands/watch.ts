import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
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
import { reportProblems } from "../../ui/screen.ts";
import { command, type CommandContext } from "../command.ts";
import { jobs, type OptionValues } from "../options.ts";

const options = { jobs };
type WatchContext = CommandContext & { readonly options: OptionValues<typeof options> };

/**
 * `dospesos watch`: builds, then builds again after every batch of saves, until it is interrupted. Effects
 * never run; what became stale of them is reported when it changes. A broken file is reported and waited for.
 */
export const watch = command({
  options,
  exits: {},
  examples: ["watch", "watch edge-installer"],
  locks: false,
  run: watchUntilInterrupted,
});

async function watchUntilInterrupted(context: WatchContext): Promise<number> {
  const { root, emit, signal } = context;
  const watcher = createWatcher(
    (path) => isForeign(root, path),
    (why) => {
      emit({
        type: "note",
        what:
          `the system's limit for watches is reached (${why}): polling every 200 ms; raise ` +
          "fs.inotify.max_user_watches or max_user_instances with sysctl",
      });
    },
  );
  // A race against the signal would leave something behind on it with each batch.
  signal.addEventListener("abort", () => void watcher.close());
  const batches = new Batches(context);
  try {
    let changes: Changes = "all";
    for (let first = true; !signal.aborted; first = false) {
      await batches.build(changes);
      await watcher.follow(batches.followed());
      if (first && !signal.aborted) {
        emit({ type: "watching" });
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
  readonly #context: WatchContext;
  /** The last session, even if its state could not be opened for writing: it knows what to watch. */
  #session: Session | undefined;
  #opened: Opened | undefined;
  /** The stale effects that were reported last. */
  #reported = "";
  #stopped = true;
  #changes: Changes = "all";

  constructor(context: WatchContext) {
    this.#context = context;
  }

  async build(changes: Changes): Promise<void> {
    const { options: given, names, emit, signal, acquire } = this.#context;
    const begin = performance.now();
    this.#changes = changes;
    let lock: Lock | undefined;
    const stale: string[] = [];
    const report = (event: EngineEvent): void => {
      const held = event.type === "step" && event.effect !== undefined && event.status === "skipped";
      if (held) {
        stale.push(event.effect);
      } else {
        emit(event);
      }
    };
    try {
      lock = await acquire(true);
      const { session, store } = this.#open(changes, report);
      const summary = await build(
        session,
        store,
        {
          targets: names,
          jobs: given.jobs,
          force: false,
          keepGoing: true,
          effects: "hold",
          consent: async () => false,
        },
        report,
        signal,
      );
      if (!store.checkpointIfLarge()) {
        this.#opened = undefined;
      }
      this.#stopped = false;
      const ms = Math.round(performance.now() - begin);
      const { ran, fresh, failed, skipped } = summary;
      if (ran + failed > 0) {
        const interrupted = signal.aborted;
        emit({ type: "end", ran, fresh, failed, skipped, ms, targets: names, interrupted, watch: true });
      }
      // What an interrupt kept from being reached may be fresh.
      if (!signal.aborted) {
        this.#reportStale(stale);
      }
    } catch (error) {
      // A file that vanished while it was read, a full disk: what stops one batch need not stop the next one.
      if (!signal.aborted) {
        reportProblems(emit, problemsFor(error));
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
    this.#session = this.#context.open();
    return (this.#opened = { session: this.#session, store: openStore(this.#session, emit) });
  }

  /** Says which markers are stale, when that changed. */
  #reportStale(effects: readonly string[]): void {
    const key = effects.join("\0");
    if (key === this.#reported) {
      return;
    }
    this.#reported = key;
    if (effects.length > 0) {
      this.#context.emit({ type: "not-applied", effects });
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
    const lock = await this.#context.acquire(false).catch(() => undefined);
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
    const { root } = this.#context;
    const known =
      this.#session === undefined
        ? { folders: new Set([root]), isSource: () => false, concerns: () => true, linksTo: () => [] }
        : whatToWatch(this.#session, this.#changes);
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
