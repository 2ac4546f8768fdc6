import type { Context } from "../context.ts";
import { declare, type Declare } from "../dofile/index.ts";
import { ProblemError, type Need, type Rule, type Step } from "../engine/index.ts";
import type { CoreOutputs, CoreVars, InstanceOutputs, InstanceVars, ThingOutputs, ThingVars } from "../sandbox/modules/types.ts";
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

/**
 * Declares that a module is applied with some variables; its outputs are the step's value (but for `revision`, which would change
 * with every variable: who needs an output must not run again when it is the same). In the sandbox a few calls of our own do
 * what the module does. In a real account a person applies it with Terraform, and this step stops with exit 4 and the very command
 * until the outputs in `terraform/state/<account>/<region>/<module>/<name>.tfstate` say that these variables were applied.
 */
export function terraformModule<M extends keyof Modules>({ module, name, vars, after = [] }: TerraformModuleSpec<M>): Step<Facts<M>> {
  return effect({
    name: `${module} ${name}`,
    target: `terraform/${module}/${name}.applied.json`,
    needs: { vars, after },
    version: "terraform-module 1",
    apply: async (needs, context): Promise<Facts<M>> => {
      const variables = needs.vars.json as Modules[M]["vars"];
      const { revision: _, ...facts } = context.settings.sandbox
        ? await withAccount(context, async ({ access }) => (await builtIn[module]())(access, variables as never))
        : appliedOutputs(module, name, variables, context);
      return facts as Facts<M>;
    },
  });
}

const builtIn = {
  instance: async () => (await import("../sandbox/modules/instance.ts")).applyInstance,
  core: async () => (await import("../sandbox/modules/core.ts")).applyCore,
  thing: async () => (await import("../sandbox/modules/thing.ts")).applyThing,
} as const;

interface TerraformState {
  readonly outputs?: Readonly<Record<string, { readonly value: unknown }>>;
}

/** The outputs in a module's state, if it was applied with these variables: `revision` goes in and comes back. */
function appliedOutputs<M extends keyof Modules>(module: M, name: string, variables: Modules[M]["vars"], context: Context): Modules[M]["outputs"] {
  // Another account or region is another world: its state must never be taken for this one's.
  const place = `state/${variables.account}/${variables.region}/${module}/${name}.tfstate`;
  const file = `terraform/${place}`;
  const state = context.readIfExists(file);
  const outputs = Object.fromEntries(Object.entries((state?.json as TerraformState | undefined)?.outputs ?? {}).map(([key, { value }]) => [key, value]));
  if (outputs["revision"] === variables.revision) return outputs as unknown as Modules[M]["outputs"];
  const folder = `terraform/${module}`;
  const apply = `terraform -chdir=${folder} apply -var-file=${name}.tfvars.json -state=../${place}`;
  throw new ProblemError([{
    code: "DP401", place: { file: `${folder}/${name}.tfvars.json` },
    what: state === undefined ? `module ${module} has not been applied for ${name}` : `module ${module} was applied for ${name} with other variables than these`,
    why: "what is made from its outputs would be wrong; dospesos changes nothing in a real account by itself here",
    fix: `(umask 077; terraform -chdir=${folder} init && ${apply}), then build again`,
  }], 4);
}
