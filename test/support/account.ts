import { readAccount } from "../../lib/sandbox/account-file.ts";
import { snapshotText } from "../../lib/sandbox/account-text.ts";
import type { Region } from "../../lib/sandbox/account.ts";

/** What a sandbox's account holds in a region, as tests look at it: each thing with what belongs to it. */
export function regionIn(file: string, name = "eu-west-1"): RegionContent {
  const found = readAccount(file);
  if (found === undefined) {
    throw new Error(`there is no account in ${file}`);
  }
  return contentOf(found.account.region(name));
}

export type RegionContent = ReturnType<typeof contentOf>;

function contentOf(region: Region) {
  return {
    things: [...region.things.values()],
    groups: [...region.groups.values()].map((group) => ({
      ...group,
      things: region.memberships.rightOf(group.name),
      policies: region.attachments.rightOf(`:${group.name}`),
    })),
    certificates: [...region.certificates.values()].map((certificate) => ({
      ...certificate,
      things: region.principals.rightOf(certificate.id),
      policies: region.attachments.rightOf(certificate.id),
    })),
    policies: [...region.policies.values()],
    aliases: [...region.aliases.values()],
    coreDevices: [...region.coreDevices.values()],
    components: [...region.components.values()],
    deployments: [...region.deployments.values()].map((one) => ({
      ...one,
      executions: region.executions
        .rightOf(one.id)
        .map((core) => ({ core, ...region.executions.getPair(one.id, core)! })),
    })),
    associations: [...region.associations.keys()],
    shadows: [...region.shadows.values()],
    connections: [...region.connections.keys()],
  };
}

/** How many records there are of each kind that has some, in all regions. */
export function census(file: string): Record<string, number> {
  const count: Record<string, number> = {};
  for (const table of readAccount(file)?.account.tables() ?? []) {
    const kind = table.name.slice(table.name.indexOf("/") + 1);
    const size = [...table.entries()].length;
    if (size > 0) {
      count[kind] = (count[kind] ?? 0) + size;
    }
  }
  return count;
}

/** Everything that an account holds, without the order of things. */
export function accountOf(file: string): unknown {
  const found = readAccount(file)!.account;
  const records = [...found.tables()].flatMap((table) =>
    [...table.entries()].map(([key, text]) => `${table.name} ${key} ${sortedText(JSON.parse(text))}`),
  );
  return [found.identity, records.sort()];
}

function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    Array.isArray(part) ? part.map(sortedText).sort() : part,
  );
}

/** All of an account as one file, also while somebody has it open. */
export function savedAccount(file: string): string {
  const { account } = readAccount(file)!;
  return snapshotText({ identity: account.identity, tables: account.tables() }, "0");
}
