import { withAccount } from "../../account/account.ts";
import { settingsOf } from "../../account/modules.ts";
import { appliedNames, elsewhere, elsewhereText, worldOf } from "../../account/world.ts";
import { allCoreDevices, thingsOf } from "../../aws/inventory.ts";
import { acquireLock } from "../../engine/index.ts";
import { visible } from "../../problem/index.ts";
import type { Run } from "../run.ts";

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
  ["logs", "what cores upload to CloudWatch below /aws/greengrass, if the log manager is deployed"],
  ["S3", "component artifacts and, with [terraform] backend = s3, states with their older versions"],
];

/**
 * `dospesos things`: what the instance has in the account, one thing a line on stdout, and what of it may
 * cost money. Changes nothing.
 */
export async function things({ args, root, screen, signal, open }: Run): Promise<number> {
  const lock = await acquireLock(root, {
    command: "dospesos things",
    wait: true,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const session = open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    return await withAccount({ root, settings }, async ({ access }) => {
      const [listed, cores] = [await thingsOf(access, settings.instance.name), await allCoreDevices(access)];
      const declared = new Set([...settings.cores, ...settings.things].map(({ name }) => name));
      const ours = new Set([...[...settings.cores].map(({ name }) => name), ...appliedNames(root, "core")]);
      const rows = listed.map((one) => {
        const core = cores.find(({ name }) => name === one.name);
        return {
          ...one,
          kind: core !== undefined || ours.has(one.name) ? "core" : "thing",
          status: core?.status ?? "",
          declared: declared.has(one.name),
        };
      });
      const others = cores.filter(({ name }) => !listed.some((one) => one.name === name));
      if (args.json) {
        for (const row of rows) {
          screen.answer(JSON.stringify({ type: "thing", ...row }));
        }
        for (const { name, status } of others) {
          screen.answer(JSON.stringify({ type: "other-core", name, status }));
        }
        return 0;
      }
      for (const { kind, name, status, certificates, connected, declared: isDeclared } of rows) {
        const words = [
          kind.padEnd(5),
          visible(name).padEnd(24),
          status,
          connected,
          `certificate ${certificates.join(", ") || "none"}`,
          isDeclared ? "" : "NOT IN settings.ini",
        ];
        screen.answer(words.filter((word) => word !== "").join("  "));
      }
      for (const { name, status } of others) {
        screen.answer(`other  ${visible(name)}  ${status}  a core that this instance did not make`);
      }
      for (const one of elsewhere(root, worldOf(session.observer.settings))) {
        screen.say(elsewhereText(one));
      }
      const stray = rows.filter(({ declared: isDeclared }) => !isDeclared).map(({ name }) => visible(name));
      if (stray.length > 0) {
        screen.say(`what left settings.ini goes by: dospesos destroy ${stray.join(" ")}`);
      }
      screen.say(
        `${rows.length} things of ${settings.instance.name}. What may cost ` +
          `money${settings.sandbox ? " in a real account (SANDBOX: nothing does)" : ""}:`,
      );
      for (const [what, when] of COSTS) {
        screen.say(`  ${what.padEnd(12)}  ${when}`);
      }
      return 0;
    });
  } finally {
    lock.release();
  }
}
