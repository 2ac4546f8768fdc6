/**
 * Random edits of a project. Each is a value that can be printed, repeated and dropped: what it meets is chosen
 * by its own seed.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Choices } from "./choices.ts";
import { PAGES, PROBES, SOURCES, TEMPLATES, VARIABLES, type Graph, type Step } from "./graph.ts";
import type { World } from "./world.ts";

export interface Edit {
  readonly kind: keyof typeof kinds;
  readonly seed: string;
}

/** A project on disk, with the models of its sources and of its graph. */
export interface Subject {
  readonly root: string;
  readonly world: World;
  readonly graph: Graph;
}

type Apply = (subject: Subject, choices: Choices) => void;

/** A folder that is a link at times, to where no pattern of globs looks. */
export const LINKED = { folder: "page", real: ".real-page" };

const FILES = [...SOURCES, ...PAGES, ...PROBES];

function existing({ world }: Subject, choices: Choices): string | undefined {
  const names = FILES.filter((path) => {
    const source = world.sources.get(path);
    return source !== undefined && "text" in source;
  });
  return names.length === 0 ? undefined : choices.one(names);
}

function write({ world, root }: Subject, path: string, text: string): void {
  world.sources.set(path, { text });
  if (lstatSync(join(root, path), { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    rmSync(join(root, path));
  }
  world.put(root, path);
}

/** Another text of the same length. */
function sameSize(text: string, choices: Choices): string {
  return text.replace(/.$/s, (last) => choices.one([..."0123456789"].filter((one) => one !== last)));
}

function onExisting(edit: (subject: Subject, path: string, text: string, choices: Choices) => void): Apply {
  return (subject, choices) => {
    const path = existing(subject, choices);
    if (path !== undefined) {
      edit(subject, path, subject.world.text(path)!, choices);
    }
  };
}

/** Replaces a file by a new one of a name of its own. */
function renameOver(
  subject: Subject,
  path: string,
  text: string,
  times?: { atime: Date; mtime: Date },
): void {
  const full = join(subject.root, path);
  subject.world.sources.set(path, { text });
  writeFileSync(`${full}.new`, text);
  if (times !== undefined) {
    utimesSync(`${full}.new`, times.atime, times.mtime);
  }
  renameSync(`${full}.new`, full);
}

function onStep(edit: (subject: Subject, step: Step, choices: Choices) => void): Apply {
  return (subject, choices) => {
    if (subject.graph.steps.length === 0) {
      return;
    }
    edit(subject, choices.one(subject.graph.steps), choices);
    writeGraph(subject);
  };
}

export function writeGraph({ root, graph }: Subject): void {
  for (const [name, text] of Object.entries(graph.files())) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    if (!existsSync(join(root, name)) || readFileSync(join(root, name), "utf8") !== text) {
      writeFileSync(join(root, name), text);
    }
  }
}

function onSettings(edit: (world: World, choices: Choices) => void): Apply {
  return ({ world, root }, choices) => {
    edit(world, choices);
    writeFileSync(join(root, "settings.ini"), world.settingsText());
  };
}

/** An output that is on disk as a regular file. */
function onOutput(
  edit: (full: string, choices: Choices, root: string) => void,
  isMeant: (step: Step) => boolean = () => true,
): Apply {
  return ({ root, graph }, choices) => {
    const made = graph.steps
      .filter(isMeant)
      .flatMap((step) => step.outputs.map((output) => join(root, output.path)))
      .filter((full) => lstatSync(full, { throwIfNoEntry: false })?.isFile() === true);
    if (made.length > 0) {
      edit(choices.one(made), choices, root);
    }
  };
}

const kinds = {
  write: (subject, choices) => write(subject, choices.one(FILES), `text ${choices.number(6)}`),
  "write a template": (subject, choices) => {
    const path = choices.one(TEMPLATES);
    const text = subject.world.text(path)!;
    write(subject, path, `${choices.number(4)}${text.replace(/^\d/, "")}`);
  },
  "same size": onExisting((subject, path, text, choices) => write(subject, path, sameSize(text, choices))),
  "same size and mtime": onExisting((subject, path, text, choices) => {
    const { atime, mtime } = statSync(join(subject.root, path));
    write(subject, path, sameSize(text, choices));
    utimesSync(join(subject.root, path), atime, mtime);
  }),
  "rename over": onExisting((subject, path, text, choices) =>
    renameOver(subject, path, choices.chance(0.5) ? sameSize(text, choices) : `over ${choices.number(4)}`),
  ),
  "rename over, same size and mtime": onExisting((subject, path, text, choices) =>
    renameOver(subject, path, sameSize(text, choices), statSync(join(subject.root, path))),
  ),
  "rename over by the same": onExisting((subject, path, text) => renameOver(subject, path, text)),
  delete: onExisting((subject, path) => {
    subject.world.sources.delete(path);
    rmSync(join(subject.root, path));
  }),
  revert: onExisting((subject, path) => write(subject, path, `text of ${path}`)),
  restore: (subject) => {
    for (const path of SOURCES) {
      if (subject.world.text(path) === undefined) {
        write(subject, path, `text of ${path}`);
      }
    }
  },
  touch: onExisting(({ root }, path, _, choices) =>
    utimesSync(join(root, path), 1e9, 1e9 + choices.number(1e8)),
  ),
  chmod: onExisting(({ root }, path, _, choices) =>
    chmodSync(join(root, path), choices.one([0o600, 0o644, 0o755])),
  ),
  link: onExisting((subject, path, _, choices) => {
    const to = choices.one(SOURCES);
    if (to === path) {
      return;
    }
    subject.world.sources.set(path, { link: to });
    // A loop of links is not what is tried here.
    if (subject.world.text(path) === undefined) {
      subject.world.sources.set(path, { text: "no loop" });
    }
    subject.world.put(subject.root, path);
  }),
  "folder of sources becomes a link, or a folder again": ({ root }) => {
    const [folder, real] = [join(root, LINKED.folder), join(root, LINKED.real)];
    if (lstatSync(folder).isSymbolicLink()) {
      rmSync(folder);
      renameSync(real, folder);
    } else {
      renameSync(folder, real);
      symlinkSync(LINKED.real, folder);
    }
  },
  "new folder": (subject, choices) => write(subject, choices.one(["in/sub/new", "in/new.md"]), "new"),
  region: onSettings(
    (world, choices) => void (world.region = choices.one(["eu-west-1", "eu-west-2", "us-east-1"])),
  ),
  "instance name": onSettings((world, choices) => void (world.instance = choices.one(["demo", "other"]))),
  remark: onSettings(
    (world, choices) => void (world.remark = `remark ${choices.number(9)}${"\n".repeat(choices.number(3))}`),
  ),
  "group of a core": onSettings((world, choices) => {
    const name = choices.one(["a", "b", "c"]);
    const group = choices.one(["one", "two", "three"]);
    world.cores = world.cores.map((core) => (core.name === name ? { name, group } : core));
  }),
  "core added": onSettings((world, choices) => {
    const name = choices.one(["a", "b", "c"]);
    if (world.cores.every((core) => core.name !== name)) {
      world.cores = [...world.cores, { name, group: "new" }];
    }
  }),
  "core removed": onSettings((world, choices) => {
    const name = choices.one(["a", "b", "c"]);
    if (world.cores.length > 1) {
      world.cores = world.cores.filter((core) => core.name !== name);
    }
  }),
  "cores in another order": onSettings((world) => void (world.cores = [...world.cores].reverse())),
  "variable set": ({ world }, choices) =>
    void world.environment.set(choices.one(VARIABLES), choices.one(["", "1", "two"])),
  "variable unset": ({ world }, choices) => void world.environment.delete(choices.one(VARIABLES)),
  "rule added": (subject, choices) => {
    subject.graph.add(choices);
    writeGraph(subject);
  },
  "rule removed": onStep(({ graph }, step) => graph.remove(step.id)),
  "target renamed": onStep(({ graph }, step, choices) => {
    const [path] = graph.freeTargets(choices, 1, step.precious);
    if (path !== undefined && step.outputs.length > 0) {
      graph.replace({ ...step, outputs: step.outputs.with(-1, { ...step.outputs.at(-1)!, path }) });
    }
  }),
  "target moved to another rule": onStep(({ graph }, step, choices) => {
    const others = graph.steps.filter((one) => one.kind === "rule" && one !== step && !one.precious);
    if (others.length === 0 || step.outputs.length < 2 || step.precious) {
      return;
    }
    const to = choices.one(others);
    const moved = step.outputs.at(choices.number(2) - 1)!;
    graph.replace({ ...step, outputs: step.outputs.filter((output) => output !== moved) });
    graph.replace({ ...to, outputs: [...to.outputs, moved] });
  }),
  "targets in another order": onStep(({ graph }, step) =>
    graph.replace({ ...step, outputs: [...step.outputs].reverse() }),
  ),
  "needs changed": onStep(({ graph }, step, choices) =>
    graph.replace({ ...step, reads: graph.newReads(choices, step) }),
  ),
  "recipe changed": onStep(({ graph }, step, choices) =>
    graph.replace({ ...step, salt: `s${choices.number(100)}`, coarse: choices.chance(0.3) }),
  ),
  "mode changed": onStep(({ graph }, step, choices) =>
    graph.replace({
      ...step,
      outputs: step.outputs.map(({ path }) => ({ path, mode: choices.one([0, 0o600, 0o644]) })),
    }),
  ),
  "comment in a module": onStep(
    ({ graph }, step, choices) => void (graph.comments[step.module] = `comment ${choices.number(5)}`),
  ),
  "comment in the Dofile": onStep(
    ({ graph }, _, choices) =>
      void (graph.comments[graph.comments.length - 1] = `comment ${choices.number(5)}`),
  ),
  "output edited": onOutput((full, choices) => writeFileSync(full, `by hand ${choices.number(9)}`)),
  "output edited, same size and mtime": onOutput((full, choices) => {
    const { atime, mtime } = statSync(full);
    writeFileSync(full, sameSize(readFileSync(full, "utf8"), choices));
    utimesSync(full, atime, mtime);
  }),
  "output deleted": onOutput((full) => rmSync(full)),
  "output's folder deleted": onOutput((full) => rmSync(dirname(full), { recursive: true })),
  "output replaced by a link": onOutput(
    (full, _, root) => {
      writeFileSync(`${root}-same`, readFileSync(full));
      rmSync(full);
      symlinkSync(`${root}-same`, full);
      // A precious one is never replaced (test/cli/links.test.ts): the build would stop.
    },
    ({ precious }) => !precious,
  ),
  "output chmod": onOutput((full, choices) => chmodSync(full, choices.one([0o600, 0o644, 0o640]))),
  "output touched": onOutput((full) => utimesSync(full, 1e9, 1e9)),
  "state deleted": ({ root }, choices) => {
    if (choices.chance(0.2)) {
      rmSync(join(root, ".dospesos"), { recursive: true, force: true });
    }
  },
} satisfies Record<string, Apply>;

const KINDS = Object.keys(kinds) as (keyof typeof kinds)[];

export function randomEdit(choices: Choices, seed: string): Edit {
  return { kind: choices.one(KINDS), seed };
}

export function apply(subject: Subject, edit: Edit): void {
  kinds[edit.kind](subject, new Choices(edit.seed));
}
