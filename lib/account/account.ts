import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { awsAccess, type AwsAccess } from "../aws/clients.ts";
import { checkAccount } from "../aws/caller.ts";
import { SANDBOX_ACCOUNT_ID, SANDBOX_FILE } from "./sandbox-account.ts";
import type { Context } from "../context.ts";
import type { Settings } from "../settings/index.ts";
import type { Sandbox } from "../sandbox/server.ts";

/** The account that the settings name: AWS itself, or the sandbox. */
export interface Account {
  readonly access: AwsAccess;
  /** 12 digits. */
  readonly id: string;
  /** Where the sandbox answers; undefined in a real account. */
  readonly endpoint: string | undefined;
  /** The certificate that the sandbox's certificates verify against; undefined in a real account. */
  readonly sandboxCa: string | undefined;
}

/** The 12-digit id of the account that the settings name. */
export function accountId(settings: Settings): string {
  return settings.sandbox ? SANDBOX_ACCOUNT_ID : settings.aws.account;
}

/**
 * Runs something that talks to the account. A run for a real account never falls back to the sandbox, and its
 * credentials must belong to the account that the settings name: ProblemError (exit 4) otherwise.
 */
export async function withAccount<T>(
  { root, settings }: Pick<Context, "root" | "settings">,
  body: (account: Account) => Promise<T>,
): Promise<T> {
  const { region } = settings.aws;
  if (!settings.sandbox) {
    const access = awsAccess({ region });
    try {
      await checkAccount(access, settings.aws.account);
      return await body({ access, id: settings.aws.account, endpoint: undefined, sandboxCa: undefined });
    } finally {
      access.close();
    }
  }
  const sandbox = await borrowSandbox(join(root, SANDBOX_FILE), region, settings.usesTerraform);
  const access = awsAccess({ region, endpoint: sandbox.endpoint });
  try {
    return await body({
      access,
      id: sandbox.accountId,
      endpoint: sandbox.endpoint,
      sandboxCa: sandbox.caPem,
    });
  } finally {
    access.close();
    await returnSandbox(join(root, SANDBOX_FILE));
  }
}

/**
 * Sandboxes that answer now, by file: effects that run at the same time share one, since one file has one
 * writer.
 */
const open = new Map<string, { readonly sandbox: Promise<Sandbox>; users: number }>();

/** Those that are being let go: nobody opens the file again before that is done. */
const closing = new Map<string, Promise<void>>();

function borrowSandbox(file: string, region: string, samePort: boolean): Promise<Sandbox> {
  const known = open.get(file) ?? {
    sandbox: (closing.get(file) ?? Promise.resolve()).then(() => openAt(file, region, samePort)),
    users: 0,
  };
  known.users++;
  open.set(file, known);
  known.sandbox.catch(() => open.delete(file));
  return known.sandbox;
}

/**
 * Where `dospesos sandbox` runs, it has the account open and its devices with it: everybody else asks it.
 *
 * Terraform may outlive the run that started it. As AWS would, the account answers it again, at the same
 * port, as soon as the next run opens it.
 */
async function openAt(file: string, region: string, samePort: boolean): Promise<Sandbox> {
  const [{ openSandbox }, { runningSandbox }, { readIdentity }] = await Promise.all([
    import("../sandbox/server.ts"),
    import("../sandbox/data-plane/record.ts"),
    import("../sandbox/account-file.ts"),
  ]);
  const running = await runningSandbox(dirname(file));
  if (running !== undefined) {
    return {
      endpoint: running.endpoint,
      accountId: SANDBOX_ACCOUNT_ID,
      caPem: readIdentity(file).ca.certificate,
      close: async () => {},
    };
  }
  if (!samePort) {
    return await openSandbox({ file, region });
  }
  const portFile = join(dirname(file), "port");
  const port = existsSync(portFile) ? Number(readFileSync(portFile, "utf8")) : 0;
  const sandbox = await openSandbox({ file, region, port }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
      throw error;
    }
    return openSandbox({ file, region });
  });
  const taken = new URL(sandbox.endpoint).port;
  if (taken !== String(port)) {
    replaceFile(portFile, taken, { mode: 0o600 });
  }
  return sandbox;
}

async function returnSandbox(file: string): Promise<void> {
  const known = open.get(file);
  if (known === undefined || --known.users > 0) {
    return;
  }
  open.delete(file);
  const closed = known.sandbox.then((sandbox) => sandbox.close());
  closing.set(
    file,
    closed.catch(() => {}),
  );
  await closed;
}
