import type { ModuleName } from "../modules/contract.ts";
import type { Drift, Marker, Teardown } from "../engine/index.ts";
import { deleteCoreDevice } from "../aws/core-device.ts";
import type { InstanceOutputs } from "../modules/contract.ts";
import { applyDestroy, appliedVariables, namesWithState, planDestroy } from "../terraform/destroy.ts";
import { instanceName } from "../terraform/module-instance.ts";
import { planLines } from "../terraform/plan.ts";
import { ProblemError } from "../problem/index.ts";
import { driftOf } from "../terraform/verify.ts";
import type { RegisteredCore, RegisteredThing } from "../registry/register.ts";
import { withAccount } from "./account.ts";
import type { EndContext } from "./account-effect.ts";
import { moduleInstance, moduleWork } from "./modules.ts";
import { withTerraform } from "./terraform-effect.ts";

/**
 * Plans the end of an applied module: by Terraform where it has a state of it, else by the calls that made it
 * in the sandbox. Undefined where nothing is left.
 */
export async function destroyModule(
  module: ModuleName,
  marker: Marker,
  context: EndContext,
): Promise<Teardown | undefined> {
  const { settings } = context;
  const { name, outputs } = marker;
  if (isByApi(outputs)) {
    const ended = {
      changes: [`-   everything of ${module} ${name}`],
      run: () => unregister(module, outputs, context),
    };
    return module === "core" ? withCoreDevice(ended, name, context) : ended;
  }
  // In a real account a marker is not forgotten because its state is: Terraform's guards stop there. One whose
  // end has begun may have lost its state to that very end.
  const mustHaveState = !settings.sandbox && marker.file !== "" && marker.ending !== true;
  const ended =
    settings.usesTerraform && (mustHaveState || hasState(module, name, context))
      ? await destroyByTerraform(module, marker, context)
      : destroyInSandbox(module, name, outputs, context);
  return ended === undefined || module !== "core" ? ended : withCoreDevice(ended, name, context);
}

type ByApi = RegisteredCore | RegisteredThing;

function isByApi(outputs: unknown): outputs is ByApi {
  return (outputs as Partial<ByApi> | undefined)?.registry === "api";
}

async function unregister(module: ModuleName, outputs: ByApi, context: EndContext): Promise<void> {
  const { unregisterCore, unregisterThing } = await import("../registry/register.ts");
  await withAccount(context, (account) =>
    module === "core"
      ? unregisterCore(account, outputs as RegisteredCore)
      : unregisterThing(account, outputs as RegisteredThing),
  );
}

/** How the account differs from what was applied. */
export async function driftOfModule(
  module: ModuleName,
  { name, outputs }: Marker,
  context: EndContext,
): Promise<readonly Drift[]> {
  if (isByApi(outputs)) {
    const { driftOfRegistered } = await import("../registry/drift.ts");
    return await withAccount(context, ({ access }) => driftOfRegistered(access, outputs));
  }
  const work = moduleWork(context.root, context.settings, module, name);
  return work === undefined ? [] : await withTerraform(context, (terraform) => driftOf(terraform, work));
}

function hasState(module: ModuleName, name: string, { root, settings }: EndContext): boolean {
  // Of a state in S3 this clone may know nothing yet.
  const where = moduleInstance({ root, settings }, module, name);
  return settings.terraform.backend !== "local" || namesWithState(root, where).includes(name);
}

async function destroyByTerraform(
  module: ModuleName,
  { name, file }: Marker,
  context: EndContext,
): Promise<Teardown | undefined> {
  const instance = moduleInstance(context, module, name);
  const variablesText = appliedVariables(instance);
  const work =
    variablesText === undefined
      ? undefined
      : moduleWork(context.root, context.settings, module, name, variablesText);
  if (work === undefined) {
    // Without a marker nobody says that it was applied from here.
    if (file === "") {
      return undefined;
    }
    throw new ProblemError([
      {
        code: "DP418",
        location: { file },
        what: `${instanceName(instance)}: it was applied, but the variables that it was applied with are gone`,
        why: "Terraform needs them to plan the end of what it made",
        fix: "run dospesos build to render them again, then destroy",
      },
    ]);
  }
  const planned = await withTerraform(context, (terraform) => planDestroy(terraform, work));
  return planned === undefined
    ? undefined
    : {
        changes: planLines(planned),
        run: () => withTerraform(context, (terraform) => applyDestroy(terraform, planned)),
      };
}

function destroyInSandbox(
  module: ModuleName,
  name: string,
  outputs: unknown,
  context: EndContext,
): Teardown | undefined {
  const { settings } = context;
  if (!settings.sandbox || (module === "instance" && outputs === undefined)) {
    return undefined;
  }
  return {
    changes: [`-   everything of ${module} ${name} in the sandbox`],
    run: () =>
      withAccount(context, async ({ access }) => {
        const { removeIdentity, removeInstance } = await import("../registry/remove.ts");
        await (module === "instance"
          ? removeInstance(access, outputs as InstanceOutputs, name)
          : removeIdentity(access, name, settings.instance.name));
      }),
  };
}

/** A core that ever connected is known to Greengrass, too. */
function withCoreDevice({ changes, run }: Teardown, name: string, context: EndContext): Teardown {
  return {
    changes: [`-   core device ${name} in Greengrass, if it ever connected`, ...changes],
    run: async () => {
      await withAccount(context, ({ access }) => deleteCoreDevice(access, name));
      await run();
    },
  };
}
