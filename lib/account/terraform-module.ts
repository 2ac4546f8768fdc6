import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { EffectKind, EffectPlan, Need, Rule, Step } from "../engine/index.ts";
import { markerFile, type EndContext } from "./account-effect.ts";
import type { ModuleName, ModuleOutputs } from "../modules/contract.ts";
import type { Planned } from "../terraform/plan.ts";
import { ProblemError } from "../problem/index.ts";
import { withAccount } from "./account.ts";

/** What other steps can need of an applied module. */
export type Facts<M extends ModuleName> = Omit<ModuleOutputs<M>, "revision">;

export interface TerraformModuleSpec<M extends ModuleName> {
  readonly module: M;
  readonly name: string;
  /** The rule that renders `terraform/<module>/<name>.tfvars.json`. */
  readonly vars: Rule;
  /** What must have been applied before. */
  readonly after?: readonly Need[];
}

const { effect, effectKind } = declare as Declare<Context, EndContext>;

/** The marker of an applied module. */
export function moduleMarker(module: ModuleName, name: string): string {
  return markerFile(module, name);
}

function newModuleKind<M extends ModuleName>(module: M): EffectKind<Facts<M>, EndContext> {
  return effectKind<Facts<M>>({
    kind: module,
    version: "terraform-module 3",
    subjects: ({ name }) => (module === "instance" ? [] : [name]),
    destroy: async (marker, context) =>
      await (await import("./module-end.ts")).destroyModule(module, marker, context),
    verify: async (marker, context) =>
      await (await import("./module-end.ts")).driftOfModule(module, marker, context),
  });
}

const moduleKinds: { readonly [M in ModuleName]: EffectKind<Facts<M>, EndContext> } = {
  instance: newModuleKind("instance"),
  core: newModuleKind("core"),
  thing: newModuleKind("thing"),
};

/** The kind of what a module makes, whoever makes it: Terraform, or the registry's API, which gives more facts. */
export function moduleKind<T>(module: ModuleName): EffectKind<T, EndContext> {
  return moduleKinds[module] as unknown as EffectKind<T, EndContext>;
}

/**
 * Declares that a module is applied with some variables; its outputs are the step's value (but for
 * `revision`, which would change with every variable: who needs an output must not run again when it is the
 * same). Terraform plans it, and applies exactly that plan once a person has consented. In the sandbox nobody
 * is asked: Terraform does both at once, or, unless `[sandbox] terraform = on`, a few calls of our own do what
 * the module does.
 */
export function terraformModule<M extends ModuleName>({
  module,
  name,
  vars,
  after = [],
}: TerraformModuleSpec<M>): Step<Facts<M>> {
  const marker = moduleMarker(module, name);
  return effect<Facts<M>, { readonly vars: Rule; readonly after: readonly Need[] }>({
    kind: moduleKinds[module],
    name,
    target: marker,
    needs: { vars, after },
    plan: async (needs, context): Promise<EffectPlan | undefined> => {
      const { usesTerraform, sandbox } = context.settings;
      if (!usesTerraform || sandbox) {
        return undefined;
      }
      refuseRegistered(module, name, marker, context);
      const { planEffect } = await import("./terraform-effect.ts");
      const variablesText = needs.vars.text;
      const { planned, lines } = await planEffect(context, { module, name, marker, variablesText });
      plans.set(context, planned);
      return { changes: lines };
    },
    apply: async (needs, context): Promise<Facts<M>> => {
      if (context.settings.usesTerraform) {
        refuseRegistered(module, name, marker, context);
      }
      const { revision: _, ...facts } = context.settings.usesTerraform
        ? ((await (
            await import("./terraform-effect.ts")
          ).applyEffect(
            context,
            plans.get(context) ?? { module, name, marker, variablesText: needs.vars.text },
          )) as unknown as ModuleOutputs<ModuleName>)
        : await withAccount(context, async (account) =>
            (await builtIn[module]())(account, needs.vars.json as never),
          );
      return facts as Facts<M>;
    },
  });
}

/**
 * Terraform cannot take over a certificate that was made from a request: it would make another one, and cut the device
 * off.
 * @throws ProblemError with exit code 4.
 */
function refuseRegistered(module: ModuleName, name: string, marker: string, { existing }: Context): void {
  const known = existing(marker)?.json as { outputs?: { registry?: string } } | null | undefined;
  if (known?.outputs?.registry !== "api") {
    return;
  }
  throw new ProblemError([
    {
      code: "DP422",
      location: { file: marker },
      what: `${module} ${name} was made by the registry's API, and the settings say registry = terraform`,
      why: "Terraform would give it another certificate: a device that is installed would be cut off",
      fix: `set registry = api in [${module} ${name}], or end it with dospesos destroy ${name} and give it a new identity`,
    },
  ]);
}

/** Plan and apply of one run of a step have the same context. */
const plans = new WeakMap<Context, Planned>();

const builtIn = {
  instance: async () => (await import("../registry/instance.ts")).applyInstance,
  core: async () => (await import("../registry/core.ts")).applyCore,
  thing: async () => (await import("../registry/thing.ts")).applyThing,
} as const;
