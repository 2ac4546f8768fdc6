// A fleet by the registry's API in the sandbox: the first build, nothing to do, one cell, one core more.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flush } from "../bench.mjs";
import { median } from "../measure.mjs";
import { run } from "../processes.mjs";
import { shippedProject } from "../program.mjs";
import { PEAK } from "./nothing-to-do.mjs";
import { row } from "../table.mjs";

const SIZES = [100, 1000];
const MAY_ADD = 100;
const MAY_GROW = 11;
/** CPU milliseconds a core, with its thing. */
const MAY_COST = 8;

export function* rows(bench) {
  const sizes = bench.quick ? SIZES.slice(0, 1) : SIZES;
  const cost = new Map();
  for (const n of sizes) {
    const fleet = new Fleet(bench, n);
    const first = fleet.build();
    flush();
    cost.set(n, first.cpu);
    const each = first.cpu / n;
    yield row(
      `fleet of ${n.toLocaleString("en")} cores and as many things, first build`,
      { text: `${first.ms.toFixed(0)} ms, ${each.toFixed(1)} ms CPU a core, ${first.peak.toFixed(0)} MB` },
      n === sizes.at(-1) ? [{ bar: `≤ ${MAY_COST} ms CPU a core`, met: each <= MAY_COST }] : [],
    );
    yield* changes(bench, fleet);
    rmSync(fleet.folder, { recursive: true });
  }
  if (sizes.length > 1) {
    const [from, to] = sizes.map((n) => cost.get(n));
    yield row(
      "fleet, growth of the first build from 100 to 1,000",
      { text: `${(to / from).toFixed(1)} × CPU` },
      [{ bar: `≤ ${MAY_GROW} ×`, met: to <= MAY_GROW * from }],
    );
  }
}

/** Each round: nothing to do, another host of one core, another group, a core more. */
function* changes(bench, fleet) {
  const times = { nothing: [], host: [], group: [], more: [] };
  const only = { host: true, group: true, more: true };
  for (let round = 0; round < bench.rounds(5); round++) {
    times.nothing.push(fleet.build({ fresh: true }).ms);
    for (const [kind, edit] of Object.entries(fleet.edits(round))) {
      const core = edit();
      const { ms, ran } = fleet.build();
      times[kind].push(ms);
      only[kind] &&= ran.every((target) => mentions(target, core) || isShared(target));
    }
  }
  const nothing = median(times.nothing.toSorted((a, b) => a - b));
  const names = {
    host: "another host of one core",
    group: "another group of one core",
    more: "one core more",
  };
  for (const [kind, name] of Object.entries(names)) {
    const ours = median(times[kind].toSorted((a, b) => a - b));
    yield row(
      `fleet of ${fleet.n.toLocaleString("en")}, ${name}`,
      { ours, peer: "nothing to do", theirs: nothing },
      [
        {
          bar: `≤ nothing to do + ${MAY_ADD} ms (is + ${(ours - nothing).toFixed(0)})`,
          met: ours <= nothing + MAY_ADD,
        },
        { bar: "no other core's steps", met: only[kind] },
      ],
    );
  }
}

function mentions(target, core) {
  return new RegExp(`${core}(?!\\d)`).test(target);
}

/** What belongs to no core: a group's deployment, and what is told of the whole fleet. */
function isShared(target) {
  return !/core-\d|thing-\d/.test(target);
}

class Fleet {
  constructor(bench, n) {
    Object.assign(this, { bench, n, folder: bench.folder(`fleet-${n}-${bench.major()}`) });
    rmSync(this.folder, { recursive: true, force: true });
    shippedProject(this.folder);
    mkdirSync(join(this.folder, "fleet"));
    const settings = join(this.folder, "settings.ini");
    const shared = readFileSync(settings, "utf8").split("; one section for each core device")[0];
    writeFileSync(
      settings,
      `${shared.replace(/^name = .*$/m, "$&\nregistry = api")}[cores]\nfrom = fleet/cores.csv\n` +
        "[things]\nfrom = fleet/things.csv\n",
    );
    this.cores = new Map();
    for (let i = 1; i <= n; i++) {
      this.cores.set(`core-${i}`, { group: `group-${i % 10}`, host: `host-${i}` });
    }
    this.write();
    writeFileSync(
      join(this.folder, "fleet/things.csv"),
      `name,core\n${Array.from({ length: n }, (_, i) => `thing-${i + 1},core-${i + 1}\n`).join("")}`,
    );
  }

  write() {
    const lines = [...this.cores].map(([name, { group, host }]) => `${name},${group},${host}\n`);
    writeFileSync(join(this.folder, "fleet/cores.csv"), `name,group,host\n${lines.join("")}`);
  }

  /** Edits by kind; each is made when it is called, and gives the core that it is about. */
  edits(round) {
    const core = `core-${10 + round}`;
    const more = `core-9${this.n}${round}`;
    const edit = (name, values) => {
      this.cores.set(name, { ...this.cores.get(name), ...values });
      this.write();
      return name;
    };
    return {
      host: () => edit(core, { host: `moved-${round}` }),
      group: () => edit(core, { group: `group-${(round + 5) % 10}` }),
      more: () => edit(more, { group: "group-1", host: `host-more-${round}` }),
    };
  }

  /** Builds; gives milliseconds, the CPU's milliseconds, the peak in MB, and the targets whose steps ran. */
  build({ fresh = false } = {}) {
    const peak = join(this.bench.temporary, "peak");
    const before = cpuOfChildren();
    const { ms, stdout, stderr } = run(
      [this.bench.node, "--require", PEAK, this.bench.bin, "build", "--json"],
      { cwd: this.folder, env: { ...process.env, BENCH_PEAK: peak }, limit: 600 },
    );
    const ran = stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text))
      .filter((event) => event.type === "step" && event.status === "ran")
      .map((event) => event.target);
    if (fresh && ran.length > 0) {
      throw new Error(`there was something to do:\n${stderr}`);
    }
    return {
      ms,
      cpu: cpuOfChildren() - before,
      peak: existsSync(peak) ? Number(readFileSync(peak, "utf8")) : 0,
      ran,
    };
  }
}

/** User and system milliseconds of the processes that ended (proc_pid_stat(5): cutime, cstime, 100 a second). */
function cpuOfChildren() {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
