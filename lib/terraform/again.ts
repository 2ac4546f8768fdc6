import { eventually, isNotYet } from "../aws/eventually.ts";
import { ProblemError } from "../problem/index.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { instanceName } from "./module-instance.ts";
import type { ModuleWork } from "./module-work.ts";
import { changesIn, savePlan, type Change } from "./plan.ts";
import type { Message } from "./stream.ts";

/** What is applied: a plan that was shown and saved, or what Terraform plans by itself where nobody is asked. */
export type ToApply =
  | { readonly file: string; readonly shown: readonly Change[]; readonly planArgs: readonly string[] }
  | "unasked";

/**
 * Runs `terraform apply`; where it stopped since AWS had not seen yet that something was detached or made, the rest is
 * planned and applied again, after a pause. A rest that would change anything else than what was shown is not applied.
 */
export async function applyEventually(
  terraform: Terraform,
  work: ModuleWork,
  what: ToApply,
): Promise<readonly Message[]> {
  const messages: Message[] = [];
  const { instance, parallelism } = work;
  await eventually(
    async (attempt) => {
      if (attempt > 0 && what !== "unasked") {
        const planned = await savePlan(terraform, work, what.file, what.planArgs);
        refuseOthers(work, what.shown, changesIn(planned.messages));
      }
      const ran = await runTerraform(terraform, instance, {
        command: "apply",
        args: [
          "-input=false",
          "-json",
          "-lock-timeout=20s",
          `-parallelism=${parallelism}`,
          what === "unasked" ? "-auto-approve" : what.file,
        ],
      });
      messages.push(...ran.messages);
    },
    (error) =>
      error instanceof ProblemError &&
      error.problems.every(
        ({ code, what: text, why = "" }) => code === "DP405" && isNotYet(`${text} ${why}`),
      ),
    {
      signal: terraform.signal,
      report: (seconds) =>
        terraform.report(
          `${instanceName(instance)}: AWS has not seen all of it yet (it is eventually consistent); again in ${seconds} s`,
        ),
    },
  );
  return messages;
}

function refuseOthers({ instance }: ModuleWork, shown: readonly Change[], now: readonly Change[]): void {
  const before = new Map(shown.map(({ address, action }) => [address, action]));
  const others = now.filter(({ address, action }) => {
    const was = before.get(address);
    return was === undefined || (destroys(action) && !destroys(was));
  });
  if (others.length > 0) {
    const addresses = others.map(({ address }) => address).join(", ");
    throw new ProblemError([
      {
        code: "DP407",
        what: `${instanceName(instance)}: the rest would change more than was shown: ${addresses}`,
        why: "the account or the state has changed since the plan was made",
        fix: "run the command again: a new plan is made and shown",
      },
    ]);
  }
}

const destroys = (action: Change["action"]): boolean => action === "delete" || action === "replace";
