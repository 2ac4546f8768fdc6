import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { awsAccess, type AwsAccess } from "../aws/clients.ts";
import { Pace } from "../aws/pace.ts";
import { checkAccount } from "../aws/caller.ts";
import { accountFolder, sandboxFile } from "../layout.ts";
import { openCertificateJournal, type CertificateJournal } from "../registry/certificate-journal.ts";
import { noteOpen } from "./open-accounts.ts";
import { SANDBOX_ACCOUNT_ID } from "./sandbox-account.ts";
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
  /** What is known of certificates that were asked for and not attached yet. */
  readonly certificates: CertificateJournal;
  /** Whether a build may replace the certificate of a device: in the sandbox alone. */
  readonly replacesIdentities: boolean;
}

/** The 12-digit id of the account that the settings name. */
export function accountId(settings: Settings): string {
  return settings.sandbox ? SANDBOX_ACCOUNT_ID : settings.aws.account;
}

/**
 * Runs something that talks to the account. A run for a real account never falls back to the sandbox, and its
 * credentials must belong to the account that the settings name: ProblemError (exit 4) otherwise. The account stays
 * open until closeAccounts(): thousands of steps share its connections and its pace.
 */
export async function withAccount<T>(
  { root, settings }: Pick<Context, "root" | "settings">,
  body: (account: Account) => Promise<T>,
): Promise<T> {
  const { region } = settings.aws;
  const key = JSON.stringify([root, accountFolder(), accountId(settings), region]);
  let account = accounts.get(key);
  if (account === undefined) {
    account = settings.sandbox ? openSandboxAccount(root, settings) : openRealAccount(root, settings);
    accounts.set(key, account);
    account.catch(() => accounts.delete(key));
    noteOpen(key, async () => {
      const opened = await accounts.get(key);
      accounts.delete(key);
      await opened?.close();
    });
  }
  return await body(await account);
}

/** By project, account and region. */
const accounts = new Map<string, Promise<OpenAccount>>();

interface OpenAccount extends Account {
  readonly close: () => Promise<void>;
}

async function openRealAccount(root: string, settings: Settings): Promise<OpenAccount> {
  const { region, account } = settings.aws;
  const access = awsAccess({ region, pace: new Pace(settings.quotas) });
  try {
    await checkAccount(access, account);
  } catch (error) {
    access.close();
    throw error;
  }
  const certificates = openCertificateJournal(join(root, accountFolder()));
  return {
    access,
    id: account,
    endpoint: undefined,
    sandboxCa: undefined,
    certificates,
    replacesIdentities: false,
    close: async () => {
      access.close();
      await certificates.close();
    },
  };
}

async function openSandboxAccount(root: string, settings: Settings): Promise<OpenAccount> {
  const { region } = settings.aws;
  const sandbox = await openAt(join(root, sandboxFile()), settings);
  const pace = settings.isThrottled ? { pace: new Pace(settings.quotas) } : {};
  const access = awsAccess({ region, endpoint: sandbox.endpoint, ...pace });
  const certificates = openCertificateJournal(join(root, accountFolder()));
  return {
    access,
    id: sandbox.accountId,
    endpoint: sandbox.endpoint,
    sandboxCa: sandbox.caPem,
    certificates,
    replacesIdentities: true,
    close: async () => {
      access.close();
      await certificates.close();
      await sandbox.close();
    },
  };
}

/**
 * Where `dospesos sandbox` runs, it has the account open and its devices with it: everybody else asks it.
 *
 * Terraform may outlive the run that started it. As AWS would, the account answers it again, at the same
 * port, as soon as the next run opens it.
 */
async function openAt(file: string, settings: Settings): Promise<Sandbox> {
  const { usesTerraform, isThrottled: throttled, aws } = settings;
  const { region } = aws;
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
  if (!usesTerraform) {
    return await openSandbox({ file, region, throttled });
  }
  const portFile = join(dirname(file), "port");
  const port = existsSync(portFile) ? Number(readFileSync(portFile, "utf8")) : 0;
  const sandbox = await openSandbox({ file, region, port, throttled }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
      throw error;
    }
    return openSandbox({ file, region, throttled });
  });
  const taken = new URL(sandbox.endpoint).port;
  if (taken !== String(port)) {
    replaceFile(portFile, taken, { mode: 0o600 });
  }
  return sandbox;
}
