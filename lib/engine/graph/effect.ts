/**
 * An effect changes something outside of the working copy; its marker is the file that remembers it. What a
 * marker remembers can be undone and compared with what there is, also when no rule declares the effect any
 * more: then its kind knows how.
 */

/** Where an effect was applied, e.g. an account and a region. The engine only compares it. */
export type World = Readonly<Record<string, string>>;

/** What the marker of an effect says. */
export interface Marker<T = unknown> {
  /** The marker itself, relative to the root. */
  readonly file: string;
  /** What a person calls the effect: its kind and name. */
  readonly effect: string;
  /** The kind, e.g. "core"; empty for an effect without one. */
  readonly kind: string;
  /** The name among those of its kind, e.g. "core-1". */
  readonly name: string;
  readonly version: string;
  readonly world: World;
  /** The nearest effects that it needs: it ends before they do. */
  readonly after: readonly string[];
  /** What apply gave. */
  readonly outputs: T;
  /** Its end has begun: what it made may be gone already. */
  readonly ending?: boolean;
}

/** The end of an effect: what would go, and how it goes. */
export interface Teardown {
  /** One line for each thing that goes, for a person to consent to. */
  readonly changes: readonly string[];
  readonly run: () => Promise<void>;
}

/** One way in which the world differs from what was applied. */
export interface Drift {
  readonly address: string;
  readonly what: string;
}

/** How an effect ends and is verified: from its marker alone. C is what it gets as its context. */
export interface EffectEnd<T, C> {
  /**
   * Plans the end. Gives undefined where nothing is left to undo. Without it the effect cannot be undone, and
   * its marker stays.
   */
  readonly destroy?: ((marker: Marker<T>, context: C) => Promise<Teardown | undefined>) | undefined;
  /** Compares the world with the marker; changes nothing. */
  readonly verify?: ((marker: Marker<T>, context: C) => Promise<readonly Drift[]>) | undefined;
}

/** Effects of one kind, e.g. all cores: they end in the same way. */
export interface EffectKind<T, C> extends EffectEnd<T, C> {
  readonly kind: string;
  /** The names that a person knows it by: who ends one of them ends the effect. Default: none. */
  readonly subjects?: ((marker: Marker<T>) => readonly string[]) | undefined;
  /**
   * Stands for the code of plan and apply in place of the modules that called effect(): an edit of those then
   * does not make what was applied stale.
   */
  readonly version: string;
}
