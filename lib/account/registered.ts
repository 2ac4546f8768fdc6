import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { Needs, Step, ValuesOf } from "../engine/index.ts";
import type { Identity } from "../registry/identity.ts";
import type { RegisteredCore, RegisteredThing } from "../registry/register.ts";
import { recordFile, stateFile } from "../terraform/module-instance.ts";
import { guardRelease, releaseState } from "../terraform/release.ts";
import { accountId, withAccount, type Account } from "./account.ts";
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
  const result = await register();
  if (releaseState(instance)) {
    note(
      `${module} ${name} is made by the registry's API now; Terraform's state is kept as ${stateFile(instance)}.released`,
    );
  }
  return result;
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
export function registeredCore<const N extends Needs>(
  spec: RegisteredSpec<N, { readonly group: string }>,
): Step<RegisteredCore> {
  return registered<RegisteredCore, N, { readonly group: string }>("core", spec, {
    change: ({ group }) => `in the thing group ${group}`,
    register: async (account, { identity, group }, before) =>
      await (await import("../registry/register.ts")).registerCore(account, identity, group, before),
  });
}

/** The same of a client thing, with its association with a core. */
export function registeredThing<const N extends Needs>(
  spec: RegisteredSpec<N, { readonly core: string }>,
): Step<RegisteredThing> {
  return registered<RegisteredThing, N, { readonly core: string }>("thing", spec, {
    change: ({ core }) => `associated with ${core}`,
    register: async (account, { identity, core }, before) =>
      await (await import("../registry/register.ts")).registerThing(account, identity, core, before),
  });
}

interface Registration<T, M> {
  /** What is said of it in a plan, behind its name. */
  readonly change: (wanted: M) => string;
  readonly register: (
    account: Account,
    wanted: { readonly identity: Identity } & M,
    before: T | undefined,
  ) => Promise<T>;
}

function registered<T, N extends Needs, M>(
  module: "core" | "thing",
  { name, needs, spec }: RegisteredSpec<N, M>,
  { change, register }: Registration<T, M>,
): Step<T> {
  const kind = moduleKind<T>(module);
  return effect<T, N>({
    kind,
    name,
    target: moduleMarker(module, name),
    needs,
    remote: true,
    plan: async (values, context) => {
      if (context.settings.sandbox) {
        return undefined;
      }
      const sign = appliedBefore(kind, name, context) === undefined ? "+" : "~";
      const wanted = spec(values, context);
      return { changes: [`${sign}   thing, certificate and policy of ${name}, ${change(wanted)}`] };
    },
    apply: async (values, context) => {
      const wanted = spec(values, context);
      const before = appliedBefore(kind, name, context);
      return await takenOver(context, module, name, () =>
        withAccount(context, (account) => register(account, wanted, before)),
      );
    },
  });
}
