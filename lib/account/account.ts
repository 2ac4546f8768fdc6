import { join } from "node:path";
import { awsAccess, type AwsAccess } from "../aws/clients.ts";
import { checkAccount } from "../aws/caller.ts";
import type { Context } from "../context.ts";
import type { Settings } from "../settings/index.ts";
import type { Sandbox } from "../sandbox/server.ts";

/** The account id that the sandbox shows. Real ids never are all zeros. */
export const SANDBOX_ACCOUNT_ID = "000000000000";

/** Where the embedded account is kept. It stands for what exists in AWS, so it lies with Terraform's state and no clean removes it. */
const SANDBOX_FILE = "terraform/state/sandbox/account.json";

/** The account that the settings name: AWS itself, or the sandbox. */
export interface Account {
  readonly access: AwsAccess;
  /** 12 digits. */
  readonly id: string;
  /** The certificate that the sandbox's certificates verify against; undefined in a real account. */
  readonly sandboxCa: string | undefined;
}

/** The 12-digit id of the account that the settings name. */
export function accountId(settings: Settings): string {
  return settings.sandbox ? SANDBOX_ACCOUNT_ID : settings.aws.account;
}

/**
 * Runs something that talks to the account. A run for a real account never falls back to the sandbox, and its credentials must
 * belong to the account that the settings name: ProblemError (exit 4) otherwise.
 */
export async function withAccount<T>({ root, settings }: Context, body: (account: Account) => Promise<T>): Promise<T> {
  const { region } = settings.aws;
  if (!settings.sandbox) {
    const access = awsAccess({ region });
    try {
      await checkAccount(access, settings.aws.account);
      return await body({ access, id: settings.aws.account, sandboxCa: undefined });
    } finally {
      access.close();
    }
  }
  const sandbox = await borrowSandbox(join(root, SANDBOX_FILE), region);
  const access = awsAccess({ region, endpoint: sandbox.endpoint });
  try {
    return await body({ access, id: sandbox.accountId, sandboxCa: sandbox.caPem });
  } finally {
    access.close();
    await returnSandbox(join(root, SANDBOX_FILE));
  }
}

/** Sandboxes that answer now, by file: effects that run at the same time share one, since one file has one writer. */
const open = new Map<string, { readonly sandbox: Promise<Sandbox>; users: number }>();

function borrowSandbox(file: string, region: string): Promise<Sandbox> {
  const known = open.get(file) ?? { sandbox: import("../sandbox/server.ts").then(({ openSandbox }) => openSandbox({ file, region })), users: 0 };
  known.users++;
  open.set(file, known);
  known.sandbox.catch(() => open.delete(file));
  return known.sandbox;
}

async function returnSandbox(file: string): Promise<void> {
  const known = open.get(file);
  if (known === undefined || --known.users > 0) return;
  open.delete(file);
  await (await known.sandbox).close();
}
