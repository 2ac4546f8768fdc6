import * as v from "valibot";
import * as records from "./records.ts";
import { Relation, Table } from "./table.ts";

export { SANDBOX_ACCOUNT, textRecord } from "./records.ts";
export type * from "./records.ts";

/** What one region of the account holds: everything of IoT and Greengrass. */
function emptyRegion(name: string, keep: Keep) {
  return {
    /** e.g. "eu-west-1" */
    name,
    things: keep(new Table(`${name}/things`, records.thing)),
    groups: keep(new Table(`${name}/groups`, records.thingGroup)),
    certificates: keep(new Table(`${name}/certificates`, records.certificate)),
    policies: keep(new Table(`${name}/policies`, records.iotPolicy)),
    aliases: keep(new Table(`${name}/aliases`, records.roleAlias)),
    /** At most one, by the key "". */
    serviceRole: keep(new Table(`${name}/serviceRole`, records.serviceRole)),
    coreDevices: keep(new Table(`${name}/coreDevices`, records.coreDevice)),
    /** By thing. */
    connectivity: keep(
      new Table(
        `${name}/connectivity`,
        v.strictObject({ addresses: v.array(records.address), version: v.number() }),
      ),
    ),
    /** By thing. */
    connections: keep(new Table(`${name}/connections`, records.connection)),
    deployments: keep(new Table(`${name}/deployments`, records.deployment)),
    /** By ARN. */
    components: keep(new Table(`${name}/components`, records.componentVersion)),
    shadows: keep(new Table(`${name}/shadows`, records.shadow)),
    templates: keep(new Table(`${name}/templates`, records.provisioningTemplate)),
    /** Thing group and thing. */
    memberships: keep(new Relation(`${name}/memberships`, records.fact)),
    /** Certificate and thing. */
    principals: keep(new Relation(`${name}/principals`, records.principal)),
    /** What a policy is attached to, a certificate's id or ":" and a group's name, and the policy. */
    attachments: keep(new Relation(`${name}/attachments`, records.fact)),
    /** Core and client device. */
    associations: keep(new Relation(`${name}/associations`, records.association)),
    /** Deployment and core. */
    executions: keep(new Relation(`${name}/executions`, records.execution)),
  };
}

type Keep = <T extends AnyTable>(table: T) => T;
export type AnyTable = Pick<
  Table<unknown>,
  "name" | "load" | "forget" | "takeChanges" | "entries" | "checkAll"
>;
export type Region = ReturnType<typeof emptyRegion>;

/** Everything that the sandbox knows. */
export class Account {
  readonly identity: records.Identity;
  readonly #tables = new Map<string, AnyTable>();
  readonly #regions = new Map<string, Region>();
  readonly roles = this.#keep(new Table("roles", records.role));
  /** Managed policies by ARN. */
  readonly policies = this.#keep(new Table("policies", records.managedPolicy));

  constructor(identity: records.Identity) {
    this.identity = identity;
  }

  /** The region of that name, made empty where nothing was ever put into it. */
  region(name: string): Region {
    let found = this.#regions.get(name);
    if (found === undefined) {
      found = emptyRegion(name, (table) => this.#keep(table));
      this.#regions.set(name, found);
    }
    return found;
  }

  tables(): Iterable<AnyTable> {
    return this.#tables.values();
  }

  /** The table of that name, e.g. "roles" or "eu-west-1/things"; undefined where an account has no such table. */
  table(name: string): AnyTable | undefined {
    const slash = name.indexOf("/");
    if (slash > 0) {
      this.region(name.slice(0, slash));
    }
    return this.#tables.get(name);
  }

  #keep<T extends AnyTable>(table: T): T {
    this.#tables.set(table.name, table);
    return table;
  }
}
