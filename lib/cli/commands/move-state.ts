import { moduleWork, settingsOf } from "../../account/modules.ts";
import { withTerraform } from "../../account/terraform-effect.ts";
import { acquireLock } from "../../engine/index.ts";
import { ProblemError } from "../../problem/index.ts";
import { namesWithState } from "../../terraform/destroy.ts";
import { moveState as move } from "../../terraform/move.ts";
import type { Run } from "../run.ts";

/** `dospesos move-state`: moves Terraform's local states to the S3 that the settings name. */
export async function moveState({ args, root, screen, signal, open }: Run): Promise<number> {
  const lock = await acquireLock(root, {
    command: "dospesos move-state",
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const session = open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    if (settings.terraform.backend !== "s3") {
      throw new ProblemError([
        {
          code: "DP205",
          location: { file: session.observer.settingsFile },
          what: "the settings name no other place for the state",
          why: "states are moved to where the settings say",
          fix: "set [terraform] backend = s3 and a bucket",
        },
      ]);
    }
    const context = { root, settings, signal, note: (what: string) => screen.emit({ type: "note", what }) };
    let moved = 0;
    await withTerraform(context, async (terraform, { id: account }) => {
      for (const module of ["instance", "core", "thing"]) {
        for (const name of namesWithState(root, { module, account, region: settings.aws.region })) {
          const work = moduleWork(root, settings, module, name);
          if (work === undefined || work.backend.kind !== "s3") {
            continue;
          }
          if (
            await move(
              terraform,
              { ...work, backend: work.backend },
              { ...work.backend, anyCredentials: settings.sandbox },
            )
          ) {
            moved++;
            screen.say(`moved     ${module} ${name} to s3://${work.backend.bucket}`);
          }
        }
      }
    });
    screen.say(`${moved} states moved; the local files stay as *.tfstate.moved`);
    return 0;
  } finally {
    lock.release();
  }
}
