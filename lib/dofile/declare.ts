/** How a Dofile declares what there is: `rule`, `fact`, `effect`, `file`, `glob` and `group`. */
import type {
  Content,
  EffectPlan,
  FileValue,
  Glob,
  Group,
  Needs,
  Rule,
  RuleOfMany,
  SourceFile,
  Step,
  ValuesOf,
  Recipe,
} from "../engine/index.ts";
import { origin } from "./evaluation.ts";

export interface TargetOptions {
  /** Permission bits, e.g. 0o600. Noticed and put right when they change. Default: what the umask leaves. */
  readonly mode?: number;
  /**
   * The content is expensive or impossible to make again (a private key): its recipe keeps what it finds by
   * `existing`, and no clean removes it.
   */
  readonly precious?: boolean;
}

export function file(path: string): SourceFile {
  return { kind: "file", path };
}

/** Source files that match a pattern of fast-glob, sorted by name; what rules make does not count. */
export function glob(pattern: string): Glob {
  return { kind: "glob", pattern };
}

export function group(name: string, members: readonly (Step<unknown> | Group)[]): Group {
  return { kind: "group", name, members };
}

export interface OneTarget<N extends Needs, C> extends TargetOptions {
  readonly target: string;
  readonly needs?: N;
  readonly recipe: (needs: ValuesOf<N>, context: C) => Content | Promise<Content>;
}

export interface ManyTargets<K extends string, N extends Needs, C> extends TargetOptions {
  readonly targets: Readonly<Record<K, string | ({ readonly path: string } & Pick<TargetOptions, "mode">)>>;
  readonly needs?: N;
  readonly recipe: (
    needs: ValuesOf<N>,
    context: C,
  ) => Readonly<Record<K, Content>> | Promise<Readonly<Record<K, Content>>>;
}

export interface FactSpec<T, N extends Needs, C> {
  readonly name: string;
  readonly needs?: N;
  readonly recipe: (needs: ValuesOf<N>, context: C) => T | Promise<T>;
}

export interface EffectSpec<T, N extends Needs, C> {
  /** What a person calls it, e.g. "core core-1". */
  readonly name: string;
  /** The marker: what was applied, with which prerequisites, and what came back. */
  readonly target: string;
  readonly needs?: N;
  /**
   * What apply would change, by only looking. Gives undefined where nobody has to be asked (the sandbox), and
   * an empty list of changes where there is nothing to change. Without a plan nobody is asked.
   */
  readonly plan?: (needs: ValuesOf<N>, context: C) => Promise<EffectPlan | undefined>;
  /**
   * Makes the change; looks first, so that doing it twice is doing it once. What it gives is a fact for other
   * steps.
   */
  readonly apply: (needs: ValuesOf<N>, context: C) => Promise<T>;
  /** The marker is the only memory of what was made: no clean removes it. */
  readonly precious?: boolean;
  /**
   * Stands for the code of plan and apply in place of the modules that called effect(): an edit of those then
   * does not make what was applied stale. For effects whose code is no part of the project.
   */
  readonly version?: string;
}

/** The three ways to declare a step. C is what a recipe gets as its context. */
export interface Declare<C> {
  /** Declares one target file, or several that one recipe makes together, and how to make them. */
  rule: {
    <const N extends Needs>(spec: OneTarget<N, C>): Rule;
    <K extends string, const N extends Needs>(spec: ManyTargets<K, N, C>): RuleOfMany<K>;
  };
  /** Declares a small JSON value that a step works out and others read. */
  fact: <T, const N extends Needs>(spec: FactSpec<T, N, C>) => Step<T>;
  /** Declares a change outside of the working copy. */
  effect: <T, const N extends Needs>(spec: EffectSpec<T, N, C>) => Step<T>;
}

// One implementation for every type of context: what C is, the program that runs the recipes decides (see
// Host in session.ts).
type AnySpec = OneTarget<Needs, unknown> | ManyTargets<string, Needs, unknown>;

function declareRule(spec: AnySpec): Rule | RuleOfMany<string> {
  const shared = {
    kind: "rule" as const,
    precious: spec.precious ?? false,
    needs: spec.needs ?? {},
    plan: undefined,
    version: undefined,
    origin: origin(),
  };
  if ("target" in spec) {
    const recipe: Recipe = (needs, context) =>
      then(spec.recipe(needs as never, context), (content) => [content]);
    return {
      kind: "step",
      path: spec.target,
      declaration: {
        ...shared,
        name: spec.target,
        makes: [{ path: spec.target, mode: spec.mode ?? 0 }],
        recipe,
      },
    };
  }
  const keys = Object.keys(spec.targets);
  const makes = keys.map((key) => {
    const target = spec.targets[key]!;
    return typeof target === "string"
      ? { path: target, mode: spec.mode ?? 0 }
      : { path: target.path, mode: target.mode ?? spec.mode ?? 0 };
  });
  const recipe: Recipe = (needs, context) =>
    then(spec.recipe(needs as never, context), (contents) => keys.map((key) => contents?.[key]));
  const step: Step<Readonly<Record<string, FileValue>>> = {
    kind: "step",
    declaration: { ...shared, name: makes[0]?.path ?? "", makes, keys, recipe },
  };
  const files = Object.fromEntries(
    keys.map((key, index) => [key, { kind: "target" as const, path: makes[index]!.path, step }]),
  );
  return { ...step, files };
}

function declareFact(spec: FactSpec<unknown, Needs, unknown>): Step<unknown> {
  const recipe: Recipe = (needs, context) => spec.recipe(needs, context);
  const shared = { precious: false, plan: undefined, version: undefined, origin: origin() };
  return {
    kind: "step",
    declaration: { ...shared, kind: "fact", name: spec.name, makes: [], needs: spec.needs ?? {}, recipe },
  };
}

function declareEffect(spec: EffectSpec<unknown, Needs, unknown>): Step<unknown> {
  const recipe: Recipe = (needs, context) => spec.apply(needs, context);
  const plan =
    spec.plan === undefined
      ? undefined
      : (needs: object, context: object) => spec.plan!(needs as never, context);
  const shared = {
    precious: spec.precious ?? false,
    needs: spec.needs ?? {},
    plan,
    version: spec.version,
    origin: origin(),
  };
  return {
    kind: "step",
    declaration: {
      ...shared,
      kind: "effect",
      name: spec.name,
      makes: [{ path: spec.target, mode: 0 }],
      recipe,
    },
  };
}

/** Most recipes are synchronous: they are not made to wait. */
function then<T, U>(value: T | Promise<T>, next: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export const declare = {
  rule: declareRule,
  fact: declareFact,
  effect: declareEffect,
} as unknown as Declare<unknown>;
