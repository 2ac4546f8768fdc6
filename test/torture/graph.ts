/**
 * A random graph as a model: steps that can be changed one by one, and the Dofile and rules that they are
 * written as.
 */
import type { Choices } from "./choices.ts";

/** One thing that a recipe reads. A number stands for the step with that id. */
export type Read =
  | { readonly kind: "file" | "probe" | "template"; readonly path: string }
  /** The content of `path` decides which of two files is read then. */
  | { readonly kind: "branch"; readonly path: string; readonly odd: string; readonly even: string }
  | { readonly kind: "glob" | "find"; readonly pattern: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "setting"; readonly key: "aws.region" | "instance.name" }
  | { readonly kind: "cores" }
  | { readonly kind: "step"; readonly id: number }
  /** One of the targets of a rule of several. */
  | { readonly kind: "target"; readonly id: number; readonly index: number };

export interface Output {
  readonly path: string;
  readonly mode: number;
}

export interface Step {
  readonly id: number;
  readonly kind: "rule" | "fact";
  /** Number of the module that declares it. */
  readonly module: number;
  readonly outputs: readonly Output[];
  readonly reads: readonly Read[];
  readonly precious: boolean;
  /** Stands in the recipe's code. */
  readonly salt: string;
  /** Its result says so little of what it read that it often stays the same. */
  readonly coarse: boolean;
}

export const SOURCES = ["in/a", "in/b.md", "in/c", "in/sub/d.md", "in/sub/e"];
export const PAGES = ["page/one.md", "page/two.md", "page/three.md"];
export const PROBES = ["probe/x", "probe/y", "in/new.md", "in/sub/new"];
/** A link to the folder of sources, and files by that second name. No pattern of globs looks into hidden folders. */
export const ALIAS = { link: ".alias", folder: "in" };
const ALIASES = [".alias/a", ".alias/b.md", ".alias/new.md", ".alias/sub/e"];
export const TEMPLATES = ["templates/top.txt.njk", "templates/middle.txt.njk", "templates/bottom.txt.njk"];
export const VARIABLES = ["TORTURE_A", "TORTURE_B"];
export const PATTERNS: Readonly<Record<string, RegExp>> = {
  "in/*": /^in\/[^/.][^/]*$/,
  "in/**/*.md": /^in\/(.*\/)?[^/]+\.md$/,
  "**/*.md": /^(.*\/)?[^/]+\.md$/,
};
const MODULES = 3;
const TARGETS = [..."abcdefghijklmnop"].flatMap((letter) => [`out/${letter}.txt`, `out/deep/${letter}.md`]);

export class Graph {
  steps: Step[] = [];
  /** A comment in each module, the Dofile's last: in a rule's module it is code, in the Dofile it is not. */
  readonly comments: string[] = Array<string>(MODULES + 1).fill("");
  #nextId = 0;

  add(choices: Choices): void {
    const rule = choices.chance(0.75);
    const precious = rule && choices.chance(0.1);
    const count = rule ? 1 + (choices.chance(0.4) ? 1 + choices.number(2) : 0) : 0;
    const outputs = this.freeTargets(choices, count, precious).map((path) => ({
      path,
      mode: choices.one([0, 0, 0o600, 0o644]),
    }));
    if (rule && outputs.length === 0) {
      return;
    }
    const module = choices.number(MODULES);
    const reads = this.#reads(
      choices,
      this.steps.filter((step) => step.module <= module),
    );
    this.steps.push({
      id: this.#nextId++,
      kind: rule ? "rule" : "fact",
      module,
      outputs,
      reads,
      precious,
      salt: `s${choices.number(100)}`,
      coarse: choices.chance(0.3),
    });
  }

  /** Names that no step makes now. What is precious stays when its rule goes, so no glob may match it. */
  freeTargets(choices: Choices, count: number, precious: boolean): string[] {
    const taken = new Set(this.steps.flatMap((step) => step.outputs.map((output) => output.path)));
    const free = TARGETS.filter((path) => !taken.has(path) && !(precious && path.endsWith(".md")));
    return Array.from(
      { length: Math.min(count, free.length) },
      () => free.splice(choices.number(free.length), 1)[0]!,
    );
  }

  remove(id: number): void {
    this.steps = this.steps
      .filter((step) => step.id !== id)
      .map((step) => ({ ...step, reads: step.reads.filter((read) => !("id" in read) || read.id !== id) }));
  }

  replace(step: Step): void {
    this.steps = this.steps.map((one) => (one.id === step.id ? step : one));
  }

  /** Other reads for a step, of what comes before it. */
  newReads(choices: Choices, step: Step): readonly Read[] {
    return this.#reads(
      choices,
      this.steps.slice(0, this.steps.indexOf(step)).filter((one) => one.module <= step.module),
    );
  }

  #reads(choices: Choices, below: readonly Step[]): Read[] {
    return Array.from({ length: choices.number(5) }, () => randomRead(choices, below));
  }

  /** The name of the module of a step, with those that it imports, directly or not. */
  modulesOf(step: Step): number[] {
    const found = new Set([step.module]);
    for (const module of found) {
      for (const imported of this.#imports(module)) {
        found.add(imported);
      }
    }
    return [...found].sort();
  }

  #imports(module: number): number[] {
    const needed = this.steps
      .filter((step) => step.module === module)
      .flatMap((step) => step.reads.flatMap((read) => ("id" in read ? [this.step(read.id).module] : [])));
    return [...new Set(needed)].filter((one) => one !== module);
  }

  modulesWithoutSteps(): number[] {
    return Array.from({ length: MODULES }, (_, module) => module).filter(
      (module) => !this.steps.some((step) => step.module === module),
    );
  }

  step(id: number): Step {
    return this.steps.find((step) => step.id === id)!;
  }

  /** The files that declare this graph. */
  files(): Record<string, string> {
    const modules = Array.from({ length: MODULES }, (_, module) => [
      `rules/m${module}.ts`,
      this.moduleText(module),
    ]);
    return {
      "Dofile.ts": this.dofileText(),
      "rules/sections.ts": SECTIONS,
      ...(Object.fromEntries(modules) as Record<string, string>),
    };
  }

  dofileText(): string {
    const imports = Array.from(
      { length: MODULES },
      (_, module) => `import * as m${module} from "./rules/m${module}.ts";`,
    );
    const groups = Array.from(
      { length: MODULES },
      (_, module) => `group("m${module}", Object.values(m${module}))`,
    );
    return `// ${this.comments[MODULES]}
import { group, project } from "dospesos";
import { perCore, perPage } from "./rules/sections.ts";
${imports.join("\n")}
export default project(({ settings, glob }) => [${groups.join(", ")}, ...glob("page/*.md").map(perPage), ...settings.cores.map(perCore)]);
`;
  }

  moduleText(module: number): string {
    const imports = this.#imports(module).map((one) => `import * as m${one} from "./m${one}.ts";`);
    const steps = this.steps.filter((step) => step.module === module).map((step) => this.#stepText(step));
    return `// ${this.comments[module]}\nimport { fact, file, glob, rule } from "dospesos";\n${imports.join("\n")}\n${steps.join("")}`;
  }

  #stepText(step: Step): string {
    const needs = step.reads.flatMap((read, index) => {
      const handle = this.#handle(step, read);
      return handle === undefined ? [] : [`n${index}: ${handle}`];
    });
    const name = `s${step.id}`;
    const flag = step.precious ? "precious: true, " : "";
    return `export const ${name} = ${step.kind}({
  ${step.kind === "fact" ? `name: "${name}"` : targetsText(step)}, ${flag}needs: { ${needs.join(", ")} },
  recipe: ${step.id % 3 === 0 ? "async " : ""}(n, c) => {
    ${step.id % 3 === 0 ? "await undefined;" : ""}
    if ((process.env.TORTURE_FAIL ?? "").split(" ").includes("${name}")) throw new Error("this step was told to fail");
    const seen: string[] = [];
${step.reads.map((read, index) => `    seen.push(${this.#readText(read, `n.n${index}`)});\n`).join("")}    const text = ${step.coarse ? `String(seen.join("|").length % 3)` : `seen.join("|")`};
    return ${resultText(step)};
  },
});
`;
  }

  #handle(step: Step, read: Read): string | undefined {
    if (read.kind === "file") {
      return `file("${read.path}")`;
    }
    if (read.kind === "glob") {
      return `glob("${read.pattern}")`;
    }
    if (read.kind !== "step" && read.kind !== "target") {
      return undefined;
    }
    const below = this.step(read.id);
    const handle = `${below.module === step.module ? "" : `m${below.module}.`}s${below.id}`;
    return read.kind === "step" || below.outputs.length < 2
      ? handle
      : `${handle}.files.k${read.index % below.outputs.length}`;
  }

  #readText(read: Read, need: string): string {
    switch (read.kind) {
      case "file":
        return `${need}.text`;
      case "probe":
        return `c.readIfExists("${read.path}")?.text ?? "none"`;
      case "template":
        return `c.render("${read.path}", { word: "w" })`;
      case "branch":
        return `c.readIfExists((c.readIfExists("${read.path}")?.text ?? "").length % 2 === 1 ? "${read.odd}" : "${read.even}")?.text ?? "none"`;
      case "glob":
        return `${need}.map((one) => one.path + "=" + one.text).join()`;
      case "find":
        return `c.glob("${read.pattern}").map((one) => one.path + "=" + one.text).join()`;
      case "environment":
        return `c.env("${read.name}") ?? "unset"`;
      case "setting":
        return `c.settings.${read.key}`;
      case "cores":
        return `c.settings.cores.map((core) => core.name + core.group).join()`;
      case "target":
        return this.step(read.id).kind === "fact" ? `JSON.stringify(${need})` : `${need}.text`;
      case "step": {
        const below = this.step(read.id);
        if (below.kind === "fact") {
          return `JSON.stringify(${need})`;
        }
        return below.outputs.length === 1
          ? `${need}.text`
          : `[${below.outputs.map((_, index) => `${need}.k${index}.text`).join()}].join()`;
      }
    }
  }
}

const SECTIONS = `import { rule } from "dospesos";
export const perCore = (core: { name: string; group: string }) => rule({ target: "out/core/" + core.name, recipe: () => core.name + core.group });
export const perPage = (page: string) => rule({ target: "out/" + page, recipe: (_, { read }) => "page " + read(page).text });
`;

function targetsText({ outputs }: Step): string {
  const modeText = (mode: number): string => (mode === 0 ? "" : `, mode: 0o${mode.toString(8)}`);
  if (outputs.length === 1) {
    return `target: "${outputs[0]!.path}"${modeText(outputs[0]!.mode)}`;
  }
  return `targets: { ${outputs.map(({ path, mode }, index) => `k${index}: { path: "${path}"${modeText(mode)} }`).join(", ")} }`;
}

function resultText({ kind, outputs, salt }: Step): string {
  if (kind === "fact") {
    return `{ salt: "${salt}", text }`;
  }
  if (outputs.length === 1) {
    return `"${salt} 0 " + text`;
  }
  return `{ ${outputs.map((_, index) => `k${index}: "${salt} ${index} " + text`).join(", ")} }`;
}

function randomRead(choices: Choices, below: readonly Step[]): Read {
  const kinds = [
    "file",
    "file",
    "probe",
    "template",
    "branch",
    "glob",
    "find",
    "environment",
    "setting",
    "cores",
  ] as const;
  if (below.length > 0 && choices.chance(0.5)) {
    const { id } = choices.one(below);
    return choices.chance(0.6) ? { kind: "step", id } : { kind: "target", id, index: choices.number(3) };
  }
  const kind = choices.one(kinds);
  switch (kind) {
    case "file":
      return { kind, path: choices.one(SOURCES) };
    case "probe":
      return { kind, path: choices.one([...PROBES, ...SOURCES, ...ALIASES]) };
    case "template":
      return { kind, path: choices.one(TEMPLATES) };
    case "branch":
      return {
        kind,
        path: choices.one([...SOURCES, ...PROBES, ...ALIASES]),
        odd: choices.one(SOURCES),
        even: choices.one(PROBES),
      };
    case "glob":
    case "find":
      return { kind, pattern: choices.one(Object.keys(PATTERNS)) };
    case "environment":
      return { kind, name: choices.one(VARIABLES) };
    case "setting":
      return { kind, key: choices.one(["aws.region", "instance.name"] as const) };
    case "cores":
      return { kind };
  }
}
