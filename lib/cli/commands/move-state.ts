import { moduleWork } from "../../account/modules.ts";
import { withTerraform } from "../../account/terraform-effect.ts";
import { MODULE_NAMES } from "../../modules/contract.ts";
import { ProblemError } from "../../problem/index.ts";
import { namesWithState } from "../../terraform/destroy.ts";
import { moveState as move } from "../../terraform/move.ts";
import { command } from "../command.ts";
import { noWait } from "../options.ts";
import { openProject } from "../project.ts";

/** `dospesos move-state`: moves Terraform's local states to the S3 bucket that the settings name. */
export const moveState = command({
  options: { noWait },
  exits: {
    0: "moved, or there was nothing to move",
    3: "another run works here (--no-wait)",
    4: "both sides have a state, or there are no credentials",
  },
  examples: ["move-state"],
  locks: true,
  run: async (context) => {
    const { root, emit } = context;
    const { settings, settingsFile, account: inAccount } = openProject(context);
    if (settings.terraform.backend !== "s3") {
      throw new ProblemError([
        {
          code: "DP205",
          location: { file: settingsFile },
          what: "the settings name no other backend for the state",
          why: "states are moved to where the settings say",
          fix: "set [terraform] backend = s3 and a bucket",
        },
      ]);
    }
    let moved = 0;
    await withTerraform(inAccount, async (terraform, { id: account }) => {
      for (const module of MODULE_NAMES) {
        for (const name of namesWithState(root, { module, account, region: settings.aws.region })) {
          const work = moduleWork(root, settings, module, name);
          if (work === undefined || work.backend.kind !== "s3") {
            continue;
          }
          const { backend } = work;
          const isMoved = await move(
            terraform,
            { ...work, backend },
            { ...backend, anyCredentials: settings.sandbox },
          );
          if (isMoved) {
            moved++;
            emit({ type: "state-moved", module, name, bucket: backend.bucket });
          }
        }
      }
    });
    emit({ type: "state-moved-summary", moved });
    return 0;
  },
});
