import {
  variablesFile,
  accountEffect,
  accountKind,
  appliedBefore,
  accountId,
  ensureThingGroup,
  fact,
  nextRequestFile,
  removeThingGroup,
  registeredCore,
  rule,
  terraformModule,
  type CoreSettings,
  type CoreVars,
  type Facts,
  type FileValue,
  type Settings,
  type Step,
} from "dospesos";
import { coreBundle } from "./core-bundle.ts";
import { identity, requestOfDevice } from "./identity.ts";
import type { Instance } from "./instance.ts";
import { devicePolicyName } from "./names.ts";
import { devicePolicy, wholeCorePolicy } from "./policies.ts";
import { sourcesOf, variables } from "./variables.ts";

export interface Core {
  readonly name: string;
  /** Whether it runs nucleus lite; who asks depends on the answer. */
  readonly isLite: () => boolean;
  /** Its thing group. */
  readonly group: Step<{ readonly arn: string }>;
  readonly applied: Step<Facts<"core">>;
  /** The folder for its device, and the archive of it. */
  readonly archive: Step<Readonly<Record<string, FileValue>>>;
}

interface Group {
  readonly arn: string;
  readonly instance: string;
  /** The present group, and those that the core was in before. */
  readonly groups: readonly string[];
}

const groupKind = accountKind<Group>({
  kind: "group of core",
  version: "2",
  subjects: ({ name }) => [name],
  destroy: ({ outputs: { instance, groups } }) => ({
    changes: groups.map((group) => `-   thing group ${group}, if ${instance} made it and no thing is in it`),
    run: async ({ access }) => {
      for (const group of groups) {
        await removeThingGroup(access, group, instance);
      }
    },
  }),
});

/** One Greengrass core device: its thing and certificate in the account, and the bundle that installs it. */
export function core(c: CoreSettings, settings: Settings, shared: Instance): Core {
  return c.registry === "api" ? coreByApi(c, settings, shared) : coreByTerraform(c, settings, shared);
}

function coreByTerraform(c: CoreSettings, settings: Settings, shared: Instance): Core {
  const { name } = c;
  // A key on the device is none of this project's files: only the request for its certificate comes here.
  const made = c.key === "device" ? undefined : identity(name).files;
  const vars = rule({
    target: variablesFile("core", name),
    needs: { csr: made === undefined ? [] : [made.csr], sources: sourcesOf("core") },
    recipe: ({ csr: [csr], sources }, context) => {
      const scope = { region: settings.aws.region, account: accountId(settings) };
      return variables<CoreVars>(
        {
          ...scope,
          instance: shared.name,
          name,
          group: c.group,
          csr: csr?.text ?? requestOfDevice(name, context),
          next_csr: context.readIfExists(nextRequestFile(name))?.text ?? "",
          core_policy: shared.names.corePolicy,
          device_policy: devicePolicyName(shared.name, name),
          device_policy_document: JSON.stringify(devicePolicy({ ...scope, name })),
        },
        sources,
      );
    },
  });
  // Cores share groups, so none of them owns one: it is looked up first, and no core's end takes it from the
  // others.
  const group = accountEffect({
    kind: groupKind,
    name,
    needs: {},
    changes: (_, { settings }) => [
      `account ${settings.aws.account}, ${settings.aws.region}: make the thing group ${c.group}, if there is none`,
    ],
    apply: async ({ access }, _, context) => {
      const { arn } = await ensureThingGroup(access, { name: c.group, instance: shared.name });
      // The groups that the core was in before are remembered: they may have been made for it.
      const before = appliedBefore(groupKind, name, context)?.groups ?? [];
      return { arn, instance: shared.name, groups: [...new Set([...before, c.group])].sort() };
    },
  });
  const applied = terraformModule({
    module: "core",
    name,
    vars,
    after: [shared.applied, shared.serviceRole, group],
  });
  return {
    name,
    isLite: () => c.runtime === "lite",
    group,
    applied,
    archive: coreBundle(c, settings, shared, applied, made?.key),
  };
}

/** The same core, made by the registry's API: its group comes with it. */
function coreByApi(c: CoreSettings, settings: Settings, shared: Instance): Core {
  const { name } = c;
  const made = c.key === "device" ? undefined : identity(name).files;
  const registered = registeredCore({
    name,
    needs: { csr: made === undefined ? [] : [made.csr], after: [shared.applied, shared.serviceRole] },
    spec: ({ csr: [csr] }, context) => {
      const scope = { region: settings.aws.region, account: accountId(settings), name };
      const { corePolicy: sharedPolicy, tokenExchangeAlias: alias } = shared.names;
      const whole = wholeCorePolicy({ ...scope, alias });
      return {
        group: c.group,
        identity: {
          instance: shared.name,
          name,
          csr: csr?.text ?? requestOfDevice(name, context),
          nextCsr: context.readIfExists(nextRequestFile(name))?.text ?? "",
          policy: {
            name: devicePolicyName(shared.name, name),
            document: JSON.stringify(whole ?? devicePolicy(scope)),
          },
          sharedPolicies: whole === undefined ? [sharedPolicy] : [],
        },
      };
    },
  });
  // What others need of the core does not change with its group.
  const applied = fact({
    name: `identity of core ${name}`,
    needs: { registered },
    recipe: ({
      registered: { thing_name, thing_arn, certificate_arn, certificate_id, certificate_pem },
    }) => ({
      thing_name,
      thing_arn,
      certificate_arn,
      certificate_id,
      certificate_pem,
    }),
  });
  return {
    name,
    isLite: () => c.runtime === "lite",
    group: registered,
    applied,
    archive: coreBundle(c, settings, shared, applied, made?.key),
  };
}
