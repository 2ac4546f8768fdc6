// What the cases work with: builds that are written and built once, and commands that are run in them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate, outputText } from "./generate.mjs";
import { run } from "./processes.mjs";

export class Bench {
  constructor({ temporary, bin, clone, peers, quick }) {
    Object.assign(this, { temporary, bin, clone, peers, quick });
    this.known = new Set();
    /** What is plotted. */
    this.series = [];
    /** Tells one save from another. */
    this.edit = 0;
    this.old = 0;
  }

  /** The Node that is measured from now on. */
  use(node) {
    this.node = node;
    this.version = run([node, "--version"]).stdout.trim();
  }

  /** How often a side runs: less in a quick run. */
  rounds(full, quick = Math.ceil(full / 4)) {
    return this.quick ? quick : full;
  }

  folder(name) {
    return join(this.temporary, name);
  }

  /** The folder of the build of a tool with n targets, written when it is first asked for. */
  written(tool, n, kind = "same", write = generate) {
    const name = `${kind}-${tool}-${n}`;
    const folder = this.folder(name);
    if (!this.known.has(name)) {
      write(folder, tool, n);
    }
    this.known.add(name);
    return folder;
  }

  /** The same, where all is fresh. */
  built(tool, n, kind = "same", write = generate) {
    return this.written(tool, n, kind, (folder) => {
      write(folder, tool, n);
      if (tool === "make") {
        fill(folder, n);
      } else {
        this.build(tool, folder);
      }
      flush();
    });
  }

  /** Builds and gives the milliseconds; `fresh` makes sure that there was nothing to do. */
  build(tool, folder, { fresh = false, limit = 600 } = {}) {
    const peer = this.peers[tool];
    const command = tool === "dospesos" ? [this.node, this.bin, "build"] : peer.command(folder);
    const { ms, stdout, stderr } = run(command, { cwd: folder, limit, env: peer?.env(folder) });
    if (fresh && tool === "dospesos" && !stderr.includes("nothing to do")) {
      throw new Error(`there was something to do:\n${stderr}`);
    }
    if (fresh && tool === "ninja" && !stdout.includes("no work to do")) {
      throw new Error(`ninja had something to do:\n${stdout}`);
    }
    return ms;
  }

  /** Builds with --json and gives the targets whose steps ran. */
  ran(folder) {
    const { stdout } = run([this.node, this.bin, "build", "--json"], { cwd: folder });
    return stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text))
      .filter((event) => event.type === "step" && event.status === "ran")
      .map((event) => event.target);
  }

  bare() {
    return run([this.node, "-e", "0"]).ms;
  }

  major() {
    return Number(/\d+/.exec(this.version)[0]);
  }

  /**
   * Puts away what was built and what the tool knows of it. Not removed yet: for some seconds ext4 is slow
   * where files were removed.
   */
  forget(folder) {
    for (const name of ["out", ".dospesos", ".ninja_log", ".ninja_deps"]) {
      if (existsSync(join(folder, name))) {
        renameSync(join(folder, name), this.folder(`old-${(this.old += 1)}`));
      }
    }
  }
}

/** make keeps no state: an output that is newer than its prerequisites is built. */
function fill(folder, n) {
  mkdirSync(join(folder, "out"), { recursive: true });
  for (let i = 0; i < n; i++) {
    writeFileSync(join(folder, `out/d${i}.yaml`), outputText(i));
  }
}

/** What was written in preparation must not be written back to the disk while something is measured. */
export function flush() {
  spawnSync("sync", { timeout: 120_000 });
}
