import { ProblemError } from "../problem/index.ts";
import { call } from "./call.ts";
import type { AwsAccess } from "./clients.ts";

/**
 * The 12-digit id of the account that the credentials belong to
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
 */
export async function callerAccount(access: AwsAccess): Promise<string> {
  const { GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const sts = await access.sts();
  const { Account } = await call({ action: "sts:GetCallerIdentity", resource: "caller" }, () =>
    sts.send(new GetCallerIdentityCommand({})),
  );
  checkClock(sts.config.systemClockOffset);
  if (Account === undefined) {
    throw new ProblemError([{ code: "DP610", what: "AWS did not return the account of the credentials" }]);
  }
  return Account;
}

/**
 * Checks this machine's clock by the answer's Date header: the SDK keeps by how many milliseconds it is off,
 * once that is more than the five minutes that a signature may be old (AWS Signature Version 4). Terraform
 * corrects nothing.
 * @throws ProblemError with exit code 4.
 */
function checkClock(offset: number): void {
  if (Math.abs(offset) < 5 * 60_000) {
    return;
  }
  const [here, there] = [new Date(), new Date(Date.now() + offset)].map((time) => time.toISOString());
  throw new ProblemError([
    {
      code: "DP614",
      what: `the clock of this machine says ${here}, AWS says ${there}`,
      why: "AWS refuses signatures that are more than five minutes old",
      fix: "set the clock, e.g. with timedatectl set-ntp true",
    },
  ]);
}

/** Asked once for each access: its credentials stay those of one account. */
const callers = new WeakMap<AwsAccess, Promise<string>>();

/**
 * Checks that the credentials belong to the account that the settings name.
 * @throws ProblemError with exit code 4.
 */
export async function checkAccount(access: AwsAccess, account: string): Promise<void> {
  let asked = callers.get(access);
  if (asked === undefined) {
    asked = callerAccount(access);
    callers.set(access, asked);
  }
  const actual = await asked;
  if (actual === account) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP613",
      what: `the credentials belong to the account ${actual}, but the settings name ${account}`,
      why: "nothing may change in an account that was not meant",
      fix: `use credentials of ${account}, or set [aws] account = ${actual}`,
    },
  ]);
}
