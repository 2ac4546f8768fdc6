import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { Needs, Step, ValuesOf } from "../engine/index.ts";
import type { Identity } from "../registry/identity.ts";
import type { RegisteredCore, RegisteredThing } from "../registry/register.ts";
import { recordFile, stateFile } from "../terraform/module-instance.ts";
import { guardRelease, releaseState } from "../terraform/release.ts";
import { accountId, withAccount } from "./account.ts";
import { appliedBefore, type EndContext } from "./account-effect.ts";
import { backendOf } from "./backend.ts";
import { moduleKind, moduleMarker } from "./terraform-module.ts";

const { effect } = declare as Declare<Context, EndContext>;

/**
 * Registers something that Terraform may have made until now: then its state is set aside, and nothing is made a second
 * time.
 */
async function takenOver<T>(
  context: Context,
  module: "core" | "thing",
  name: string,
  register: () => Promise<T>,
): Promise<T> {
  const { settings, root, note } = context;
  const instance = { module, name, account: accountId(settings), region: settings.aws.region, root };
  if (!existsSync(join(root, stateFile(instance))) && !existsSync(join(root, recordFile(instance)))) {
    return await register();
  }
  guardRelease(instance, backendOf(settings));
  const registered = await register();
  if (releaseState(instance)) {
    note(
      `${module} ${name} is made by the registry's API now; Terraform's state is kept as ${stateFile(instance)}.released`,
    );
  }
  return registered;
}

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
      return await takenOver(context, "core", name, () =>
        withAccount(context, (account) => registerCore(account, identity, group, before)),
      );
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
      return await takenOver(context, "thing", name, () =>
        withAccount(context, (account) => registerThing(account, identity, core, before)),
      );
    },
  });
}
