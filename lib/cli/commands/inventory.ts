import { withAccount } from "../../account/account.ts";
import { appliedNames, elsewhere, worldOf } from "../../account/world.ts";
import { allCoreDevices, thingsOf } from "../../aws/inventory.ts";
import type { ListedThing } from "../../ui/events/index.ts";
import { command } from "../command.ts";
import { openProject } from "../project.ts";

/**
 * What AWS takes money for, by what makes it (AWS's price lists of IoT Core, IoT Greengrass, CloudWatch and
 * S3; no amounts: they change).
 */
const COSTS: readonly (readonly [string, string])[] = [
  ["core device", "each that connects in a month (IoT Greengrass), its connection and messages (IoT Core)"],
  [
    "client thing",
    "nothing while it talks to its core alone; connection and messages where it talks to IoT Core",
  ],
  [
    "fleet index",
    "if it is on: each thing in it, and each query, as inventory and check make one for a thing",
  ],
  ["logs", "what cores upload to CloudWatch below /aws/greengrass, if the log manager is deployed"],
  ["S3", "component artifacts and, with [terraform] backend = s3, states with their older versions"],
];

/** `dospesos inventory`: what the instance has in the account, and what of it may cost money. Changes nothing. */
export const inventory = command({
  options: {},
  exits: { 0: "listed", 4: "the account needs credentials" },
  examples: ["inventory", "inventory --json"],
  locks: true,
  run: async (context) => {
    const { root, emit } = context;
    const { session, settings } = openProject(context);
    return withAccount({ root, settings }, async ({ access }) => {
      const [things, cores] = [await thingsOf(access, settings.instance.name), await allCoreDevices(access)];
      const declared = new Set([...settings.cores, ...settings.things].map(({ name }) => name));
      const coreNames = new Set([
        ...[...settings.cores].map(({ name }) => name),
        ...appliedNames(root, "core"),
      ]);
      const rows = things.map((thing): ListedThing => {
        const core = cores.find(({ name }) => name === thing.name);
        return {
          type: "thing",
          ...thing,
          kind: core !== undefined || coreNames.has(thing.name) ? "core" : "thing",
          ...(core === undefined ? {} : { status: core.status }),
          declared: declared.has(thing.name),
        };
      });
      rows.forEach(emit);
      for (const { name, status } of cores) {
        if (!things.some((thing) => thing.name === name)) {
          emit({ type: "other-core", name, status });
        }
      }
      for (const one of elsewhere(root, () => worldOf(session.observer.settings))) {
        emit({ type: "elsewhere", ...one });
      }
      emit({
        type: "inventory-summary",
        instance: settings.instance.name,
        things: rows.length,
        undeclared: rows.filter((row) => !row.declared).map(({ name }) => name),
      });
      for (const [resource, when] of COSTS) {
        emit({ type: "cost", resource, when });
      }
      return 0;
    });
  },
});
