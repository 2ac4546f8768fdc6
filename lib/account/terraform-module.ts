import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import type { EffectPlan, Need, Rule, Step } from "../engine/index.ts";
import type {
  CoreOutputs,
  CoreVars,
  InstanceOutputs,
  InstanceVars,
  ThingOutputs,
  ThingVars,
} from "../modules/types.ts";
import type { Planned } from "../terraform/plan.ts";
import { withAccount } from "./account.ts";

/** The modules below terraform/: what each is given and what it gives back. */
export interface Modules {
  readonly instance: { readonly vars: InstanceVars; readonly outputs: InstanceOutputs };
  readonly core: { readonly vars: CoreVars; readonly outputs: CoreOutputs };
  readonly thing: { readonly vars: ThingVars; readonly outputs: ThingOutputs };
}

/** What other steps can need of an applied module. */
export type Facts<M extends keyof Modules> = Omit<Modules[M]["outputs"], "revision">;

export interface TerraformModuleSpec<M extends keyof Modules> {
  readonly module: M;
  readonly name: string;
  /** The rule that renders `terraform/<module>/<name>.tfvars.json`. */
  readonly vars: Rule;
  /** What must have been applied before. */
  readonly after?: readonly Need[];
}

const { effect } = declare as Declare<Context>;

/** The marker of an applied module. */
export function moduleMarker(module: string, name: string): string {
  return `terraform/${module}/${name}.applied.json`;
}

/**
 * Declares that a module is applied with some variables; its outputs are the step's value (but for
 * `revision`, which would change with every variable: who needs an output must not run again when it is the
 * same). Terraform plans it, and applies exactly that plan once a person has consented; in the sandbox nobody
 * is asked, and unless `[sandbox] terraform = on` a few calls of our own do what the module does.
 */
export function terraformModule<M extends keyof Modules>({
  module,
  name,
  vars,
  after = [],
}: TerraformModuleSpec<M>): Step<Facts<M>> {
  const marker = moduleMarker(module, name);
  return effect({
    name: `${module} ${name}`,
    target: marker,
    needs: { vars, after },
    version: "terraform-module 2",
    plan: async (needs, context): Promise<EffectPlan | undefined> => {
      if (!context.settings.usesTerraform) {
        return undefined;
      }
      const { planEffect } = await import("./terraform-effect.ts");
      const { planned, lines } = await planEffect(context, {
        module,
        name,
        marker,
        variablesText: needs.vars.text,
      });
      plans.set(context, planned);
      return context.settings.sandbox ? undefined : { changes: lines };
    },
    apply: async (needs, context): Promise<Facts<M>> => {
      const planned = plans.get(context);
      const { revision: _, ...facts } =
        planned === undefined
          ? await withAccount(context, async ({ access }) =>
              (await builtIn[module]())(access, needs.vars.json as never),
            )
          : ((await (
              await import("./terraform-effect.ts")
            ).applyEffect(context, planned)) as unknown as Modules[M]["outputs"]);
      return facts as Facts<M>;
    },
  });
}

/** Plan and apply of one run of a step have the same context. */
const plans = new WeakMap<Context, Planned>();

const builtIn = {
  instance: async () => (await import("../registry/instance.ts")).applyInstance,
  core: async () => (await import("../registry/core.ts")).applyCore,
  thing: async () => (await import("../registry/thing.ts")).applyThing,
} as const;
