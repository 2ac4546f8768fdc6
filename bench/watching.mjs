// A running `dospesos watch`, and how long it takes from a save to the new bytes in the target.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputText, sourceText } from "./generate.mjs";

const HEAP = fileURLToPath(new URL("./preload/heap.cjs", import.meta.url));
const LIMIT = 20_000;

export class Watching {
  /** Starts it; resolves when it says that it watches. `readyMs` is the time until then. */
  static async start(bench, folder) {
    const begin = performance.now();
    const child = spawn(bench.node, ["--expose-gc", "--require", HEAP, bench.bin, "watch"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let said = "";
    await within(
      new Promise((resolve, reject) => {
        child.stderr.on("data", (piece) => {
          said = (said + piece).slice(-4000);
          if (said.includes("watching:")) {
            resolve();
          }
        });
        child.on("exit", () => reject(new Error(`watch ended:\n${said}`)));
      }),
      () => `watch does not get ready:\n${said}`,
    );
    return new Watching(child, folder, performance.now() - begin, () => said);
  }

  constructor(child, folder, readyMs, said) {
    Object.assign(this, { child, folder, readyMs, said, wake: () => {} });
    this.targets = watch(join(folder, "out"), () => this.wake());
  }

  /**
   * Saves some sources and resolves to the milliseconds until all their targets hold what the rules make of
   * them.
   */
  async save(sources, edit) {
    const waiting = new Set(sources);
    const seen = new Promise((resolve) => {
      // An event may tell of a temporary file: what counts are the bytes.
      this.wake = () => {
        for (const i of waiting) {
          if (readFileSync(join(this.folder, `out/d${i}.yaml`), "utf8") === outputText(i, edit)) {
            waiting.delete(i);
          }
        }
        if (waiting.size === 0) {
          resolve(performance.now());
        }
      };
    });
    const begin = performance.now();
    for (const i of sources) {
      writeFileSync(join(this.folder, `src/d${i}.ini`), sourceText(i, edit));
    }
    return (
      (await within(
        seen,
        () => `saved and not made: ${[...waiting].map((i) => `d${i}`).join(", ")}\n${this.said()}`,
      )) - begin
    );
  }

  /** MB of the heap in use after a collection. */
  async heap() {
    this.child.send("heap");
    const [bytes] = await once(this.child, "message");
    return bytes / 2 ** 20;
  }

  async stop() {
    this.targets.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) {
      return;
    }
    this.child.kill("SIGTERM");
    await once(this.child, "exit");
  }
}

async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(what())), LIMIT)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
