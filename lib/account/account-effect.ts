import type { Context } from "../context.ts";
import { accountFolder } from "../layout.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { EffectKind, Marker, Needs, Step, ValuesOf } from "../engine/index.ts";
import { withAccount, type Account } from "./account.ts";

/** What the end of an effect gets: there is no recipe any more, so nothing that it reads is a prerequisite. */
export type EndContext = Pick<Context, "root" | "settings" | "signal" | "note">;

export interface AccountKindSpec<T> {
  /** What a person calls the kind, e.g. "association". */
  readonly kind: string;
  /** Raised when what apply does changes, so that what was applied before is applied again. */
  readonly version: string;
  /** The cores and things that it belongs to: it ends with any of them. Default: none. */
  readonly subjects?: (marker: Marker<T>) => readonly string[];
  /**
   * What goes, and how; looks first, so that doing it twice is doing it once. Without it the effect is never
   * undone: its marker stays, and destroy lists it as left.
   */
  readonly destroy?: (marker: Marker<T>) => {
    readonly changes: readonly string[];
    readonly run: (account: Account, context: EndContext) => Promise<unknown>;
  };
}

export interface AccountEffectSpec<T, N extends Needs> {
  readonly kind: EffectKind<T, EndContext>;
  /** Its name among those of its kind, e.g. "thing-1". */
  readonly name: string;
  readonly needs: N;
  /** What it may change in the account, for a person to consent to. In the sandbox nobody is asked. */
  readonly changes: (needs: ValuesOf<N>, context: Context) => readonly string[];
  /** Looks first, so that doing it twice is doing it once. */
  readonly apply: (account: Account, needs: ValuesOf<N>, context: Context) => Promise<T>;
}

const { effect, effectKind } = declare as Declare<Context, EndContext>;

/**
 * The marker of an effect in the account: the only memory of what was made, so it lies with Terraform's state,
 * where no clean removes it.
 */
export function markerFile(kind: string, name: string): string {
  return `${accountFolder()}/effects/${kind.replaceAll(" ", "-")}/${name}.json`;
}

/** Declares a kind of change in the account that is made and undone by AWS's API. */
export function accountKind<T>({
  kind,
  version,
  subjects,
  destroy,
}: AccountKindSpec<T>): EffectKind<T, EndContext> {
  return effectKind<T>({
    kind,
    version,
    subjects,
    destroy:
      destroy &&
      ((marker, context) => {
        const { changes, run } = destroy(marker);
        const undo = async (account: Account): Promise<void> => {
          await run(account, context);
        };
        return Promise.resolve({ changes, run: () => withAccount(context, undo) });
      }),
  });
}

/** Declares a change in the account that is made by AWS's API, for what Terraform cannot do. */
export function accountEffect<T, const N extends Needs>(spec: AccountEffectSpec<T, N>): Step<T> {
  return effect<T, N>({
    kind: spec.kind,
    name: spec.name,
    target: markerFile(spec.kind.kind, spec.name),
    needs: spec.needs,
    plan: async (needs, context) =>
      context.settings.sandbox ? undefined : { changes: spec.changes(needs, context) },
    apply: (needs, context) => withAccount(context, (account) => spec.apply(account, needs, context)),
  });
}

/** What this effect gave when it was applied last, before the run that goes on. */
export function appliedBefore<T>(
  { kind }: EffectKind<T, EndContext>,
  name: string,
  { existing }: Context,
): T | undefined {
  const marker = existing(markerFile(kind, name))?.json as Marker<T> | null | undefined;
  return marker?.outputs;
}
