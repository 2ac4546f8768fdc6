import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AwsAccess } from "../aws/clients.ts";
import { certificatesFor } from "../aws/certificates.ts";
import { requestedKey } from "../pki/keypair.ts";
import { existing, namedResources, writeImports } from "./adopt.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { initialise } from "./init.ts";
import { workFolder, type ModuleInstance } from "./module-instance.ts";
import { guardRotation } from "./promote.ts";
import type { ModuleWork } from "./module-work.ts";
import { differing, shownPlan } from "./shown-plan.ts";
import { resume } from "./resume.ts";
import { currentState, guardCurrent, guardState, type State } from "./state.ts";
import type { Message } from "./stream.ts";

export type Action = "create" | "update" | "replace" | "delete" | "adopt";

export interface Change {
  readonly address: string;
  readonly action: Action;
  /** The attributes that differ; for what is made anew the ones that ask for it. */
  readonly attributes?: readonly string[];
}

/** A saved plan: exactly what apply will do. */
export interface Planned {
  readonly work: ModuleWork;
  readonly file: string;
  /** Also true where only an output differs. */
  readonly changesAnything: boolean;
  /** What changes in the account. */
  readonly changes: readonly Change[];
  /**
   * Certificates for the device's key that the state does not know: what an apply that was interrupted left. They go
   * after the apply.
   */
  readonly strays: readonly string[];
}

/** Bookkeeping inside of the state: it says which revision was applied, and nothing in the account. */
const BOOKKEEPING = "terraform_data";

/**
 * Plans a module and keeps the plan, in a folder that nobody else can read. What exists already and is the
 * instance's is adopted and not made a second time.
 * @throws ProblemError: exit 4 where the state or the account is not as it was left; else with Terraform's
 * own errors.
 */
export async function planModule(
  terraform: Terraform,
  access: AwsAccess,
  work: ModuleWork,
): Promise<Planned> {
  const before = await ready(terraform, access, work);
  const file = join(workFolder(work.instance), "plan");
  const { exit, messages } = await savePlan(terraform, work, file);
  const changes = await detailed(terraform, work, file, changesIn(messages));
  const strays = await strayCertificates(access, work, { ...before, changes });
  return { work, file, changesAnything: exit === 2, changes, strays };
}

/** What there is before a plan. */
interface Before {
  readonly state: State | undefined;
  /** Since when (milliseconds since 1970) no apply has come to a good end. */
  readonly cut: number | undefined;
}

/** Makes a module's folder ready, and gives its state as it was left. Throws as planModule does. */
export async function prepared(terraform: Terraform, work: ModuleWork): Promise<Before> {
  const { instance, backend } = work;
  mkdirSync(workFolder(instance), { recursive: true, mode: 0o700 });
  const cut = await resume(terraform, instance);
  guardState(instance, backend, work.applied);
  await initialise(terraform, instance, backend, work.variablesText);
  const state = await currentState(terraform, instance, backend);
  guardCurrent(work, state);
  return { state, cut };
}

/** The same for a plan, whoever makes it. */
export async function ready(terraform: Terraform, access: AwsAccess, work: ModuleWork): Promise<Before> {
  const { instance } = work;
  const { state, cut } = await prepared(terraform, work);
  await guardRotation(work, state);
  if (cut !== undefined) {
    await untaint(terraform, instance, state);
  }
  writeImports(instance, await missingFrom(state, access, work));
  return { state, cut };
}

/**
 * What an interrupt hit between making and reading is in the state, but tainted. It exists, so the plan is to
 * compare it: made anew under the same name, before the old one goes, it would be refused.
 */
async function untaint(
  terraform: Terraform,
  instance: ModuleInstance,
  state: State | undefined,
): Promise<void> {
  for (const { address, tainted } of state?.resources ?? []) {
    if (tainted && address.startsWith("aws_")) {
      await runTerraform(terraform, instance, { command: "untaint", args: ["-lock-timeout=20s", address] });
    }
  }
}

/**
 * The changes with the attributes that differ, where a person is to see them: to tell these takes Terraform
 * seconds.
 */
async function detailed(
  terraform: Terraform,
  { instance, shown }: ModuleWork,
  file: string,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  if (shown !== true || !changes.some(({ action }) => action === "update" || action === "replace")) {
    return changes;
  }
  const details = new Map(
    (await shownPlan(terraform, instance, file)).resource_changes?.map(({ address, change }) => [
      address,
      change,
    ]),
  );
  return changes.map((one) => {
    const detail = details.get(one.address);
    if (detail === undefined || (one.action !== "update" && one.action !== "replace")) {
      return one;
    }
    const causes = detail.replace_paths?.map((path) => path.join(".")) ?? [];
    return { ...one, attributes: one.action === "replace" && causes.length > 0 ? causes : differing(detail) };
  });
}

/** What has a name, is not in the state, and exists in the account. */
async function missingFrom(state: State | undefined, access: AwsAccess, { instance, variables }: ModuleWork) {
  const known = new Set(state?.resources.map(({ address }) => address));
  return await existing(
    access,
    namedResources(instance.module, variables).filter(({ address }) => !known.has(address)),
    variables["instance"] ?? "",
  );
}

/** Runs `terraform plan` and keeps the plan in the file until it is discarded or this process ends. */
export async function savePlan(
  terraform: Terraform,
  { instance, parallelism }: ModuleWork,
  file: string,
  more: readonly string[] = [],
) {
  rmSync(file, { force: true });
  planFiles.add(file);
  try {
    return await runTerraform(terraform, instance, {
      command: "plan",
      good: [0, 2],
      args: [
        ...more,
        "-input=false",
        "-json",
        "-detailed-exitcode",
        "-lock-timeout=20s",
        `-parallelism=${parallelism}`,
        `-out=${file}`,
      ],
    });
  } catch (error) {
    // A plan that failed is written, too, and of no use.
    rmSync(file, { force: true });
    throw error;
  }
}

/**
 * The changes of a plan's stream, without bookkeeping, by address: Terraform tells them in the order in which it got
 * round to them, another one each time.
 */
export function changesIn(messages: readonly Message[]): Change[] {
  const changes = messages.flatMap(({ type, change }) => {
    if (type !== "planned_change" || change === undefined || change.resource.resource_type === BOOKKEEPING) {
      return [];
    }
    const action = actions[change.action] ?? (change.importing === undefined ? undefined : "adopt");
    return action === undefined ? [] : [{ address: change.resource.addr, action }];
  });
  return changes.toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

/** Terraform's words for what a plan does; others ("read", "no-op") change nothing. */
const actions: Readonly<Record<string, Action>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
  import: "adopt",
};

function isNewCertificate({ address, action }: Change): boolean {
  return address.startsWith("aws_iot_certificate.") && (action === "create" || action === "replace");
}

/** Certificates for the device's key that the state does not know, where there may be some. */
export async function strayCertificates(
  access: AwsAccess,
  { variables: { csr, name } }: ModuleWork,
  { state, cut, changes }: Before & { readonly changes: readonly Change[] },
): Promise<string[]> {
  if (csr === undefined || name === undefined || (cut === undefined && !changes.some(isNewCertificate))) {
    return [];
  }
  const known = new Set(state?.resources.map(({ attributes }) => attributes["id"]));
  const found = await certificatesFor(access, {
    key: await requestedKey(csr),
    thing: name,
    ...(cut === undefined ? {} : { since: cut }),
  });
  return found.filter((id) => !known.has(id));
}

/** Plans that were made in this process: none of them outlives it. */
const planFiles = new Set<string>();
process.on("exit", () => {
  for (const file of planFiles) {
    rmSync(file, { force: true });
  }
});

export function discardPlan({ file }: Planned): void {
  rmSync(file, { force: true });
  planFiles.delete(file);
}

const signs: Readonly<Record<Action, string>> = {
  create: "+",
  update: "~",
  replace: "-/+",
  delete: "-",
  adopt: "=",
};
const words: Readonly<Record<Action, string>> = {
  create: "is made",
  update: "is changed in place",
  replace: "IS DESTROYED and made anew",
  delete: "IS DESTROYED",
  adopt: "exists already and is taken over",
};

/**
 * A plan as lines for a person: the sum first, then what happens to each resource; what destroys something is
 * in capitals.
 */
export function planLines({ changes, strays }: Pick<Planned, "changes" | "strays">): string[] {
  if (changes.length + strays.length === 0) {
    return [];
  }
  const count = (...wanted: Action[]): number =>
    changes.filter(({ action }) => wanted.includes(action)).length;
  const destroyed = count("delete", "replace") + strays.length;
  const sum = [
    `${count("create", "replace")} to add`,
    `${count("update")} to change`,
    `${destroyed} to destroy`,
    ...(count("adopt") > 0 ? [`${count("adopt")} to take over`] : []),
  ].join(", ");
  return [
    sum,
    ...changes.map(
      ({ address, action, attributes = [] }) =>
        `${signs[action].padEnd(3)} ${address} ${words[action]}${attributes.length === 0 ? "" : `: ${attributes.join(", ")}`}`,
    ),
    ...strays.map(
      (id) =>
        `${signs.delete.padEnd(3)} certificate ${id.slice(0, 16)}… that an interrupted apply left behind IS DESTROYED`,
    ),
  ];
}
