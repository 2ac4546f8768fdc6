/**
 * What is declared: handles that name targets, and what the engine knows of the step behind each. A handle is
 * also the way to need what it makes: `needs: { applied }` is the dependency and gives the recipe its typed
 * value.
 */
import type { EffectEnd } from "./effect.ts";
import type { FileValue } from "./file-value.ts";
import type { NodeId } from "../model.ts";
import type { Recipe, RecipeContext } from "./context.ts";

declare const made: unique symbol;

/** Anything that can be needed; V is what the recipe gets for it. */
export interface Needed<V> {
  readonly [made]?: V;
}

export interface SourceFile extends Needed<FileValue> {
  readonly kind: "file";
  readonly path: string;
}

export interface Glob extends Needed<readonly FileValue[]> {
  readonly kind: "glob";
  readonly pattern: string;
}

/** One of several targets of a rule. */
export interface Target extends Needed<FileValue> {
  readonly kind: "target";
  readonly path: string;
  readonly step: Step<unknown>;
}

/** A rule, fact or effect. Two handles are the same step only if they are the same object. */
export interface Step<V> extends Needed<V> {
  readonly kind: "step";
  readonly declaration: Declaration;
}

export interface Rule extends Step<FileValue> {
  readonly path: string;
}

export interface RuleOfMany<K extends string> extends Step<Readonly<Record<K, FileValue>>> {
  /** The single targets, for who needs only one of them. */
  readonly files: Readonly<Record<K, Target>>;
}

export interface Group {
  readonly kind: "group";
  readonly name: string;
  readonly members: readonly (Step<unknown> | Group)[];
}

export type Need = Needed<unknown> | readonly Need[];
export type Needs = Readonly<Record<string, Need>>;
export type ValueOf<N> =
  N extends Needed<infer V> ? V : N extends readonly (infer E)[] ? readonly ValueOf<E>[] : never;
export type ValuesOf<N extends Needs> = { readonly [K in keyof N]: ValueOf<N[K]> };

/** What a recipe gives for a file. */
export type Content = string | Uint8Array;

export interface EffectPlan {
  /** One line a change, for a person to consent to; empty if there is nothing to change. */
  readonly changes: readonly string[];
}

/** Where a step was declared. */
export interface Origin {
  /** The modules of the project whose code its recipe can be made of. */
  readonly modules: readonly string[];
  readonly site: Position | undefined;
  /** What was read before and can be closed over by the recipe, where no one sees it being used. */
  readonly ambientReads: ReadonlySet<NodeId>;
}

/** A line and column in the code that was evaluated. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What the engine knows of a step; `makes` are file names, of which the first names the step. */
export interface Declaration {
  readonly kind: "rule" | "fact" | "effect";
  readonly name: string;
  readonly makes: readonly { readonly path: string; readonly mode: number }[];
  readonly precious: boolean;
  /** A plain build does not make it. */
  readonly onDemand: boolean;
  readonly needs: Needs;
  /** Gives the contents of `makes` in order (rule), or the value (fact, effect). */
  readonly recipe: Recipe;
  readonly plan:
    | ((needs: Readonly<Record<string, unknown>>, context: RecipeContext) => Promise<EffectPlan | undefined>)
    | undefined;
  /** The keys of a rule of several targets, beside `makes`. */
  readonly keys?: readonly string[];
  readonly version: string | undefined;
  /** What kind of effect it is, its name among them, and how it ends. */
  readonly effect?: EffectEnd<unknown, object> & {
    readonly kind: string;
    readonly name: string;
    /** It waits for a service elsewhere and needs little of this machine. */
    readonly remote: boolean;
  };
  readonly origin: Origin;
}
