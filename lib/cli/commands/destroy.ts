import { existsSync } from "node:fs";
import { join } from "node:path";
import { withAccount } from "../../account/account.ts";
import { settingsOf } from "../../account/modules.ts";
import { forgetMarkers, partsOf } from "../../account/teardown.ts";
import { withTerraform } from "../../account/terraform-effect.ts";
import { acquireLock, ProblemError } from "../../engine/index.ts";
import { askConsent, askForWord } from "../../ui/consent.ts";
import type { Settings } from "../../settings/index.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos destroy`: takes everything that the project has in the account away again, in the reverse order of a build. In a real
 * account a person types the instance's name; in the sandbox a yes, or --yes, is enough. Exit 0, 4 where nobody consented.
 */
export async function destroy(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  const lock = await acquireLock(root, { command: "dospesos destroy", wait: args.wait, signal, onWait: (holder) => screen.emit({ type: "waiting", holder }) });
  try {
    const session = run.open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    const { name } = settings.instance;
    if (args.yes && !settings.sandbox) {
      throw new ProblemError([{ code: "DP204", what: "--yes does not destroy anything in a real account", why: "what devices in the field need would be gone", fix: `run dospesos destroy at a terminal and type ${name}` }], 2);
    }
    const context = { root, settings, signal, note: (what: string) => screen.emit({ type: "note", what }) };
    const body = async (account: Parameters<Parameters<typeof withAccount>[1]>[0], terraform?: Parameters<typeof partsOf>[2]): Promise<number> => {
      const parts = (await partsOf(context, account, terraform)).filter(({ lines }) => lines.length > 0);
      screen.emit({ type: "plan", effects: parts.map((part) => ({ name: part.name, changes: part.lines })) });
      const consented = settings.sandbox ? args.yes || (await askConsent("Destroy all of this?", signal)) : await askForWord(`Devices in the field stop working. Type ${name} to destroy all of this:`, name, signal);
      if (!consented) {
        screen.say("nothing was destroyed");
        return 4;
      }
      for (const part of parts) {
        signal.throwIfAborted();
        await part.remove();
        screen.say(`destroyed ${part.name}`);
      }
      forgetMarkers(root);
      for (const left of leftBehind(root, settings)) screen.say(`left      ${left}`);
      return 0;
    };
    return settings.usesTerraform ? await withTerraform(context, (terraform, account) => body(account, terraform)) : await withAccount(context, (account) => body(account));
  } finally {
    lock.release();
  }
}

/** What stays, for a person to decide. */
function leftBehind(root: string, { sandbox, terraform }: Settings): string[] {
  const left: [string, string][] = [
    ["edge/keys", "private keys: a new certificate can be had for them"],
    ["edge/out", "bundles: their certificates are void; dospesos clean removes them"],
    ...(sandbox ? [["terraform/state/sandbox", "the sandbox itself, with what others have made in it"] as [string, string]] : []),
  ];
  const there = left.filter(([path]) => existsSync(join(root, path))).map(([path, what]) => `${path}: ${what}`);
  return [...there, ...(terraform.backend === "s3" ? [`s3://${terraform.bucket}: the bucket, with states that know of nothing and their older versions`] : [])];
}
