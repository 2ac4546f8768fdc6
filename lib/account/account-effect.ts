import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { Needs, Step, ValuesOf } from "../engine/index.ts";
import { withAccount, type Account } from "./account.ts";

export interface AccountEffectSpec<T, N extends Needs> {
  /** What a person calls it, e.g. "association thing-1". */
  readonly name: string;
  /**
   * The marker is `terraform/state/api/<marker>.json`: the only memory of what was made, so it lies where no
   * clean removes it.
   */
  readonly marker: string;
  readonly needs: N;
  /** What it may change in the account, for a person to consent to. In the sandbox nobody is asked. */
  readonly changes: (needs: ValuesOf<N>, context: Context) => readonly string[];
  /** Looks first, so that doing it twice is doing it once. */
  readonly apply: (account: Account, needs: ValuesOf<N>, context: Context) => Promise<T>;
  /** Raised when what apply does changes, so that what was applied before is applied again. */
  readonly version: string;
}

const { effect } = declare as Declare<Context>;

export function markerFile(marker: string): string {
  return `terraform/state/api/${marker}.json`;
}

/** Declares a change in the account that is made by AWS's API, for what Terraform cannot do. */
export function accountEffect<T, const N extends Needs>(spec: AccountEffectSpec<T, N>): Step<T> {
  return effect<T, N>({
    name: spec.name,
    target: markerFile(spec.marker),
    precious: true,
    needs: spec.needs,
    version: spec.version,
    plan: async (needs, context) =>
      context.settings.sandbox ? undefined : { changes: spec.changes(needs, context) },
    apply: (needs, context) => withAccount(context, (account) => spec.apply(account, needs, context)),
  });
}
