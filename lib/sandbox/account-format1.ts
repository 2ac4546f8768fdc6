import * as v from "valibot";
import { Account, type Region } from "./account.ts";
import { identitySchema } from "./records.ts";

type Json = Readonly<Record<string, unknown>>;
interface Old extends Json {
  readonly name: string;
}

/**
 * An account as the first format kept it: one JSON document with lists, where a group listed its things and a
 * certificate its policies. Undefined where the document is none.
 */
export function accountOfFormat1(document: unknown): Account | undefined {
  const { format, roles, policies, regions, ...identity } = (document ?? {}) as Json;
  if (format !== 1) {
    return undefined;
  }
  const account = new Account(v.parse(identitySchema, identity));
  for (const { inline, ...role } of (roles ?? []) as readonly Old[]) {
    put(account.roles, role.name, { ...role, inline });
  }
  for (const policy of (policies ?? []) as readonly (Json & { arn: string })[]) {
    put(account.policies, policy.arn, policy);
  }
  for (const region of (regions ?? []) as readonly Old[]) {
    readRegion(account.region(region.name), region);
  }
  for (const table of account.tables()) {
    const wrong = table.checkAll();
    if (wrong !== undefined) {
      throw new Error(`${table.name} ${wrong} is not as it was written`);
    }
  }
  return account;
}

function readRegion(region: Region, old: Json): void {
  const list = <T = Old>(name: string): readonly T[] => (old[name] ?? []) as readonly T[];
  for (const kind of ["things", "policies", "aliases", "coreDevices", "templates"] as const) {
    list(kind).forEach((one) => put(region[kind], one.name, one));
  }
  for (const { things, policies, ...group } of list<Old & Attached<string>>("groups")) {
    put(region.groups, group.name, group);
    things.forEach((thing) => region.memberships.setPair(group.name, thing, {}));
    policies.forEach((policy) => region.attachments.setPair(`:${group.name}`, policy, {}));
  }
  for (const { things, policies, ...certificate } of list<{ id: string } & Attached<Principal>>(
    "certificates",
  )) {
    put(region.certificates, certificate.id, certificate);
    things.forEach(({ name, type }) => region.principals.setPair(certificate.id, name, { type }));
    policies.forEach((policy) => region.attachments.setPair(certificate.id, policy, {}));
  }
  for (const { core, device, at } of list<{ core: string; device: string; at: number }>("associations")) {
    region.associations.setPair(core, device, { at });
  }
  if (old["serviceRole"] !== undefined) {
    put(region.serviceRole, "", old["serviceRole"]);
  }
  for (const kind of ["connectivity", "connections"] as const) {
    list<{ thing: string }>(kind).forEach(({ thing, ...one }) => put(region[kind], thing, one));
  }
  for (const { executions, ...one } of list<{ id: string; job?: string; executions: { core: string }[] }>(
    "deployments",
  )) {
    put(region.deployments, one.id, { ...one, job: one.job ?? one.id });
    for (const { core, ...execution } of executions) {
      put(region.executions, `${one.id}/${core}`, execution);
    }
  }
  list<{ arn: string }>("components").forEach((one) => put(region.components, one.arn, one));
  list<{ key: string }>("shadows").forEach((one) => put(region.shadows, one.key, one));
}

interface Attached<T> {
  readonly things: readonly T[];
  readonly policies: readonly string[];
}
interface Principal {
  readonly name: string;
  readonly type: "EXCLUSIVE_THING" | "NON_EXCLUSIVE_THING";
}

/** As text: the table checks and parses it when it is asked for. */
function put(table: { load: (key: string, text: string) => void }, key: string, value: unknown): void {
  table.load(key, JSON.stringify(value));
}
