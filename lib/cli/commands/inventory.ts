import { withAccount } from "../../account/account.ts";
import { appliedNames, elsewhere, worldOf } from "../../account/world.ts";
import { allCoreDevices, describeThing, thingNames, type DescribedThing } from "../../aws/inventory.ts";
import { inParallel } from "../../parallel.ts";
import type { ListedThing } from "../../ui/events/index.ts";
import { command } from "../command.ts";
import { jobs } from "../options.ts";
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

/**
 * Of more things than this their certificates and connections are not asked for, unless --all: that is some calls for
 * each, at ten a second, and queries that AWS charges for.
 */
const ASKED_WHOLE = 100;

/** `dospesos inventory`: what the instance has in the account, and what of it may cost money. Changes nothing. */
export const inventory = command({
  options: {
    jobs,
    all: { type: "boolean", help: `certificates and connections, also of more than ${ASKED_WHOLE} things` },
  },
  exits: { 0: "listed", 4: "the account needs credentials" },
  examples: ["inventory", "inventory --all", "inventory --json"],
  locks: true,
  run: async (context) => {
    const { root, emit, options } = context;
    const { session, settings } = openProject(context);
    return withAccount({ root, settings }, async ({ access }) => {
      const names = await thingNames(access, settings.instance.name);
      const cores = new Map((await allCoreDevices(access)).map((core) => [core.name, core]));
      const isBrief = names.length > ASKED_WHOLE && !options.all;
      const things: Partial<DescribedThing>[] = isBrief
        ? []
        : await inParallel(options.jobs, names, (name) => describeThing(access, name));
      const declared = new Set([...settings.cores, ...settings.things].map(({ name }) => name));
      const coreNames = new Set([
        ...[...settings.cores].map(({ name }) => name),
        ...appliedNames(root, "core"),
      ]);
      const states: Record<string, number> = {};
      const rows = names.map((name, index): ListedThing => {
        const core = cores.get(name);
        const kind = core !== undefined || coreNames.has(name) ? "core" : "thing";
        const state = core?.status ?? "never reported";
        if (kind === "core") {
          states[state] = (states[state] ?? 0) + 1;
        }
        const isDeclared = declared.has(name);
        return {
          type: "thing",
          name,
          ...things[index],
          kind,
          ...(core === undefined ? {} : { status: core.status }),
          declared: isDeclared,
          ...(isBrief && isDeclared && state !== "UNHEALTHY" ? { brief: true } : {}),
        };
      });
      rows.forEach(emit);
      const ours = new Set(names);
      for (const { name, status } of cores.values()) {
        if (!ours.has(name)) {
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
        cores: states,
        undeclared: rows.filter((row) => !row.declared).map(({ name }) => name),
      });
      for (const [resource, when] of COSTS) {
        emit({ type: "cost", resource, when });
      }
      return 0;
    });
  },
});
