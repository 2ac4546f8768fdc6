/**
 * What each step of a graph must see in a world, and what it must make of that: worked out without the
 * engine.
 */
import { PATTERNS, type Graph, type Read, type Step } from "./graph.ts";
import type { World } from "./world.ts";

export interface Seen {
  /** The step's first target, or the name of the fact: what the engine calls it. */
  readonly name: string;
  /** Names of the steps that it needs. */
  readonly below: readonly string[];
  /** Everything that the step depends on, as text: the rule itself and the value of each prerequisite. */
  readonly view: Readonly<Record<string, string>>;
  /** Its targets with content and mode. */
  readonly files: Readonly<Record<string, { readonly text: string; readonly mode: number }>>;
  readonly precious: boolean;
  /** A declared file is missing: the step must fail. */
  readonly fails: boolean;
  /** The id that TORTURE_FAIL names it by. */
  readonly id: string | undefined;
}

/** All steps, in an order in which each comes after those that it needs. */
export function lookAt(graph: Graph, world: World): Seen[] {
  const steps = new Map<number, Sighted>();
  const made = new Set(graph.steps.flatMap((step) => step.outputs.map((output) => output.path)));
  for (const step of graph.steps) {
    steps.set(step.id, lookAtStep(graph, world, step, steps, made));
  }
  return [
    ...[...steps.values()].map((sighted) => sighted.seen),
    ...pages(graph, world),
    ...cores(graph, world),
  ];
}

interface Sighted {
  readonly seen: Seen;
  /** What others get: the text of each target, or the fact as JSON. */
  readonly values: readonly string[];
}

function lookAtStep(
  graph: Graph,
  world: World,
  step: Step,
  steps: ReadonlyMap<number, Sighted>,
  made: ReadonlySet<string>,
): Sighted {
  const view: Record<string, string> = { definition: definition(graph, step) };
  const below: string[] = [];
  let fails = false;
  const file = (path: string): string | undefined => {
    const text = world.text(path);
    view[`file ${path}`] = text === undefined ? "missing" : `text ${text}`;
    return text;
  };
  const template = (path: string): string => {
    const text = file(path);
    if (text === undefined) {
      fails = true;
    }
    return (text ?? "")
      .replace(/\{\{ word \}\}/g, "w")
      .replace(/\{% include "\.\/(.*)" %\}/g, (_, name: string) => template(`templates/${name}`));
  };
  const matches = (pattern: string): string => {
    const names = world.names().filter((name) => PATTERNS[pattern]!.test(name) && !made.has(name));
    view[`glob ${pattern}`] = names.join();
    return names.map((name) => `${name}=${file(name)!}`).join();
  };
  const need = (read: Extract<Read, { readonly id: number }>): string => {
    const { seen, values } = steps.get(read.id)!;
    below.push(seen.name);
    const shown =
      read.kind === "step" || values.length === 1 ? values.join() : values[read.index % values.length]!;
    view[`step ${seen.name} ${read.kind === "target" ? read.index % values.length : ""}`] = JSON.stringify(
      read.kind === "step" ? values : shown,
    );
    return shown;
  };
  const see = (read: Read): string => {
    switch (read.kind) {
      case "file": {
        const text = file(read.path);
        if (text === undefined) {
          fails = true;
        }
        return text ?? "";
      }
      case "probe":
        return file(read.path) ?? "none";
      case "template":
        return template(read.path);
      case "branch":
        return file((file(read.path) ?? "").length % 2 === 1 ? read.odd : read.even) ?? "none";
      case "glob":
      case "find":
        return matches(read.pattern);
      case "environment":
        return (view[`environment ${read.name}`] = world.environment.get(read.name) ?? "unset");
      case "setting":
        return (view[read.key] = read.key === "aws.region" ? world.region : world.instance);
      case "cores":
        return (view["cores"] = world.cores.map((core) => core.name + core.group).join());
      case "step":
      case "target":
        return need(read);
    }
  };
  const whole = step.reads.map(see).join("|");
  const text = step.coarse ? String(whole.length % 3) : whole;
  const values =
    step.kind === "fact"
      ? [JSON.stringify({ salt: step.salt, text })]
      : step.outputs.map((_, index) => `${step.salt} ${index} ${text}`);
  const files = Object.fromEntries(
    step.outputs.map(({ path, mode }, index) => [path, { text: values[index]!, mode }]),
  );
  const name = step.outputs[0]?.path ?? `s${step.id}`;
  return { seen: { name, below, view, files, precious: step.precious, fails, id: `s${step.id}` }, values };
}

/** The code of all modules that the recipe can be made of, and what the engine takes from the declaration. */
function definition(graph: Graph, step: Step): string {
  return JSON.stringify([
    dofileCode(graph),
    graph.modulesOf(step).map((module) => graph.moduleText(module)),
    step.outputs,
    step.id,
  ]);
}

/**
 * The Dofile without its comment, and the modules that declare nothing, by name: whatever these are good for,
 * every step may be made of it.
 */
function dofileCode(graph: Graph): string {
  return [
    graph.dofileText().replace(/^\/\/.*\n/, ""),
    ...graph.modulesWithoutSteps().map((module) => `m${module} ${graph.moduleText(module)}`),
  ].join("");
}

/**
 * One rule for each match of a glob in the Dofile: each depends on all names, since it could have closed over
 * them.
 */
function pages(graph: Graph, world: World): Seen[] {
  const names = pageNames(world);
  return names.map((page) => {
    const text = `page ${world.text(page)!}`;
    const view = { definition: dofileCode(graph), pages: names.join(), page: text };
    return {
      name: `out/${page}`,
      below: [],
      view,
      files: { [`out/${page}`]: { text, mode: 0 } },
      precious: false,
      fails: false,
      id: undefined,
    };
  });
}

function pageNames(world: World): string[] {
  return world.names().filter((name) => /^page\/[^/]+\.md$/.test(name));
}

/** One rule for each core: it depends on no other core, and on the glob that the Dofile asked before. */
function cores(graph: Graph, world: World): Seen[] {
  return world.cores.map((core) => {
    const name = `out/core/${core.name}`;
    const view = { definition: dofileCode(graph), pages: pageNames(world).join(), group: core.group };
    return {
      name,
      below: [],
      view,
      files: { [name]: { text: core.name + core.group, mode: 0 } },
      precious: false,
      fails: false,
      id: undefined,
    };
  });
}
