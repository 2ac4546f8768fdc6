import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { Needs, Step, ValuesOf } from "../engine/index.ts";
import type { Identity } from "../registry/identity.ts";
import type { RegisteredCore, RegisteredThing } from "../registry/register.ts";
import { withAccount } from "./account.ts";
import { appliedBefore, type EndContext } from "./account-effect.ts";
import { moduleKind, moduleMarker } from "./terraform-module.ts";

const { effect } = declare as Declare<Context, EndContext>;

export interface RegisteredSpec<N extends Needs, M> {
  readonly name: string;
  readonly needs: N;
  /** What is to be registered: the identity, and for a core its thing group, for a thing its core. */
  readonly spec: (needs: ValuesOf<N>, context: Context) => { readonly identity: Identity } & M;
}

/**
 * Declares that AWS's registry has a core, made by its API: many at a time, at the pace of the account's quotas. It
 * gives what the Terraform module gives.
 */
export function registeredCore<const N extends Needs>({
  name,
  needs,
  spec,
}: RegisteredSpec<N, { readonly group: string }>): Step<RegisteredCore> {
  const kind = moduleKind<RegisteredCore>("core");
  return effect<RegisteredCore, N>({
    kind,
    name,
    target: moduleMarker("core", name),
    needs,
    remote: true,
    plan: async (values, context) => {
      if (context.settings.sandbox) {
        return undefined;
      }
      const { group } = spec(values, context);
      const verb = appliedBefore(kind, name, context) === undefined ? "+" : "~";
      return { changes: [`${verb}   thing, certificate and policy of ${name}, in the thing group ${group}`] };
    },
    apply: async (values, context) => {
      const { identity, group } = spec(values, context);
      const { registerCore } = await import("../registry/register.ts");
      const before = appliedBefore(kind, name, context);
      return await withAccount(context, (account) => registerCore(account, identity, group, before));
    },
  });
}

/** The same of a client thing, with its association with a core. */
export function registeredThing<const N extends Needs>({
  name,
  needs,
  spec,
}: RegisteredSpec<N, { readonly core: string }>): Step<RegisteredThing> {
  const kind = moduleKind<RegisteredThing>("thing");
  return effect<RegisteredThing, N>({
    kind,
    name,
    target: moduleMarker("thing", name),
    needs,
    remote: true,
    plan: async (values, context) => {
      if (context.settings.sandbox) {
        return undefined;
      }
      const { core } = spec(values, context);
      const verb = appliedBefore(kind, name, context) === undefined ? "+" : "~";
      return { changes: [`${verb}   thing, certificate and policy of ${name}, associated with ${core}`] };
    },
    apply: async (values, context) => {
      const { identity, core } = spec(values, context);
      const { registerThing } = await import("../registry/register.ts");
      const before = appliedBefore(kind, name, context);
      return await withAccount(context, (account) => registerThing(account, identity, core, before));
    },
  });
}
