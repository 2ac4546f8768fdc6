/** How a Dofile declares what there is: `rule`, `fact`, `effect`, `file`, `glob` and `group`. */
import type {
  EffectEnd,
  EffectKind,
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
import { effectKind } from "./effect-kinds.ts";
import { origin } from "./evaluation.ts";

export interface TargetOptions {
  /** Permission bits, e.g. 0o600. Noticed and put right when they change. Default: what the umask leaves. */
  readonly mode?: number;
  /**
   * The content is expensive or impossible to make again (a private key): its recipe keeps what it finds by
   * `existing`, and no clean removes it.
   */
  readonly precious?: boolean;
  /** Made only when it is named, alone or in a group, or when something else needs it: not by a plain build. */
  readonly onDemand?: boolean;
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

export interface EffectSpec<T, N extends Needs, C, E = C> extends EffectEnd<T, E> {
  /** What a person calls it; with a kind, its name among those of its kind: "core-1". */
  readonly name: string;
  /** How it ends, shared with the other effects of its kind, and so still known when no rule declares it. */
  readonly kind?: EffectKind<T, E>;
  /** The marker: what was applied, where, with which prerequisites, and what came back. */
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
  /** Stands for the code of plan and apply, as that of a kind does. */
  readonly version?: string;
  /** It waits for a service elsewhere and needs little of this machine: many run at the same time. */
  readonly remote?: boolean;
}

/** The three ways to declare a step. C is what a recipe gets as its context. */
export interface Declare<C, E = C> {
  /** Declares one target file, or several that one recipe makes together, and how to make them. */
  rule: {
    <const N extends Needs>(spec: OneTarget<N, C>): Rule;
    <K extends string, const N extends Needs>(spec: ManyTargets<K, N, C>): RuleOfMany<K>;
  };
  /** Declares a small JSON value that a step works out and others read. */
  fact: <T, const N extends Needs>(spec: FactSpec<T, N, C>) => Step<T>;
  /** Declares a change outside of the working copy. */
  effect: <T, const N extends Needs>(spec: EffectSpec<T, N, C, E>) => Step<T>;
  /** Declares a kind of effect, at the top level of a module: see EffectKind. */
  effectKind: <T>(kind: EffectKind<T, E>) => EffectKind<T, E>;
}

// One implementation for every type of context: what C is, the program that runs the recipes decides (see
// Host in session.ts).
type AnySpec = OneTarget<Needs, unknown> | ManyTargets<string, Needs, unknown>;

function declareRule(spec: AnySpec): Rule | RuleOfMany<string> {
  const shared = {
    kind: "rule" as const,
    precious: spec.precious ?? false,
    onDemand: spec.onDemand ?? false,
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
  const shared = { precious: false, onDemand: false, plan: undefined, version: undefined, origin: origin() };
  return {
    kind: "step",
    declaration: { ...shared, kind: "fact", name: spec.name, makes: [], needs: spec.needs ?? {}, recipe },
  };
}

function declareEffect(spec: EffectSpec<unknown, Needs, unknown, object>): Step<unknown> {
  const { kind, plan, apply } = spec;
  const end = kind ?? spec;
  return {
    kind: "step",
    declaration: {
      kind: "effect",
      name: kind === undefined ? spec.name : `${kind.kind} ${spec.name}`,
      makes: [{ path: spec.target, mode: 0 }],
      // The marker is the only memory of what was made: no clean removes it.
      precious: true,
      onDemand: false,
      needs: spec.needs ?? {},
      plan: plan === undefined ? undefined : (needs, context) => plan(needs, context),
      recipe: (needs, context) => apply(needs, context),
      version: kind?.version ?? spec.version,
      effect: {
        kind: kind?.kind ?? "",
        name: spec.name,
        destroy: end.destroy,
        verify: end.verify,
        remote: spec.remote ?? false,
      },
      origin: origin(),
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
  effectKind,
} as unknown as Declare<unknown>;
