import type { ModuleName } from "../modules/contract.ts";
import type { Context } from "../context.ts";
import { applyPlan, applyUnasked } from "../terraform/apply.ts";
import type { Terraform } from "../terraform/child.ts";
import { terraformEnvironment } from "../terraform/environment.ts";
import { findTerraform, type Binary } from "../terraform/guards.ts";
import { pluginCache } from "../terraform/init.ts";
import { isAppliedHere, recordFile, stateFile } from "../terraform/module-instance.ts";
import type { ModuleWork } from "../terraform/module-work.ts";
import { planLines, planModule, type Planned } from "../terraform/plan.ts";
import { accountId, withAccount, type Account } from "./account.ts";
import { backendOf } from "./backend.ts";

export interface ModuleToApply {
  readonly module: ModuleName;
  readonly name: string;
  readonly marker: string;
  readonly variablesText: string;
}

/** Plans a module for the account that the settings name; the lines tell a person what would change. */
export async function planEffect(
  context: Context,
  module: ModuleToApply,
): Promise<{ planned: Planned; lines: string[] }> {
  const work = workOf(context, module);
  const planned = await withTerraform(context, (terraform, { access }) =>
    planModule(terraform, access, work),
  );
  return { planned, lines: planLines(planned) };
}

/**
 * Applies what was planned, or a module that nobody is asked about, and gives the module's outputs; from now on a
 * change of its state makes the step stale.
 */
export async function applyEffect(
  context: Context,
  what: Planned | ModuleToApply,
): Promise<Readonly<Record<string, unknown>>> {
  const work = "work" in what ? what.work : workOf(context, what);
  const state = await withTerraform(context, (terraform, { access }) =>
    "work" in what ? applyPlan(terraform, access, what) : applyUnasked(terraform, access, work),
  );
  const { instance, backend } = work;
  context.readAgain(backend.kind === "local" ? stateFile(instance) : recordFile(instance));
  return state.outputs;
}

function workOf(context: Context, { module, name, marker, variablesText }: ModuleToApply): ModuleWork {
  const { settings, root } = context;
  const instance = { module, name, account: accountId(settings), region: settings.aws.region, root };
  return {
    instance,
    backend: backendOf(settings),
    variablesText,
    variables: JSON.parse(variablesText) as Record<string, string>,
    applied: isAppliedHere(context.existing(marker)?.text ?? "", instance),
    parallelism: settings.terraform.parallelism,
    shown: !settings.sandbox,
  };
}

/** What running Terraform needs of a context: a command has it, too. */
export type TerraformContext = Pick<Context, "root" | "settings" | "signal" | "note">;

/** Runs something that needs Terraform and the account that it changes, which is checked first. */
export async function withTerraform<T>(
  context: TerraformContext,
  body: (terraform: Terraform, account: Account) => Promise<T>,
): Promise<T> {
  const { root, settings, signal, note } = context;
  const { region } = settings.aws;
  const { program, version } = await binary(root, settings.terraform.binary);
  return await withAccount(context, async (account) => {
    const environment = terraformEnvironment(
      process.env,
      pluginCache(root),
      account.endpoint === undefined
        ? undefined
        : { endpoint: account.endpoint, region, stateInS3: settings.terraform.backend === "s3" },
    );
    return await body(
      { name: settings.terraform.binary, program, version, environment, signal, report: note },
      account,
    );
  });
}

/** Found once in a process, by folder and name. */
const found = new Map<string, Promise<Binary>>();

function binary(root: string, name: string): Promise<Binary> {
  const key = JSON.stringify([root, name]);
  const known =
    found.get(key) ?? findTerraform(name, root, terraformEnvironmentForVersion(), { file: "settings.ini" });
  found.set(key, known);
  return known;
}

function terraformEnvironmentForVersion(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TF_")));
}
