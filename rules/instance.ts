import {
  variablesFile,
  accountEffect,
  accountKind,
  accountId,
  ensureServiceRole,
  removeServiceRole,
  rule,
  terraformModule,
  type InstanceVars,
  type Settings,
  type Shared,
} from "dospesos";
import { instanceNames } from "./names.ts";
import { corePolicy, tokenExchangePolicy } from "./policies.ts";
import { stateBucket } from "./state-bucket.ts";
import { sourcesOf, variables } from "./variables.ts";

const serviceRoleKind = accountKind<Shared>({
  kind: "service role",
  version: "2",
  destroy: ({ name, outputs: { arn } }) => ({
    changes: [`-   the Greengrass service role, if ${name} made it`],
    run: ({ access, id }) =>
      removeServiceRole(access, {
        instance: name,
        account: id,
        roleName: arn.slice(arn.lastIndexOf("/") + 1),
      }),
  }),
});

/** Its certificate is only read. */
const sandboxCaKind = accountKind<{ pem: string }>({
  kind: "sandbox CA",
  version: "2",
  destroy: () => ({ changes: [], run: () => Promise.resolve() }),
});

export type Instance = ReturnType<typeof instance>;

/**
 * What all cores and things share: the token exchange role and its alias, the cores' policy, the Greengrass
 * service role.
 */
export function instance(settings: Settings) {
  const { name } = settings.instance;
  const names = instanceNames(name);
  const vars = rule({
    target: variablesFile("instance", name),
    needs: { sources: sourcesOf("instance") },
    recipe: ({ sources }) => {
      const scope = { region: settings.aws.region, account: accountId(settings) };
      return variables<InstanceVars>(
        {
          ...scope,
          instance: name,
          token_exchange_role: names.tokenExchangeRole,
          token_exchange_policy: JSON.stringify(
            tokenExchangePolicy({ ...scope, artifacts: settings.components.bucket }),
          ),
          token_exchange_alias: names.tokenExchangeAlias,
          core_policy: names.corePolicy,
          core_policy_document: JSON.stringify(corePolicy({ ...scope, alias: names.tokenExchangeAlias })),
        },
        sources,
      );
    },
  });
  const applied = terraformModule({ module: "instance", name, vars, after: stateBucket(settings) });
  // One for each account and region, perhaps used by others: looked up first, and remembered whether it is
  // ours.
  const serviceRole = accountEffect({
    kind: serviceRoleKind,
    name,
    needs: { applied },
    changes: ({ applied }) => [
      `account ${applied.account}, ${applied.region}: associate the Greengrass service role ${names.serviceRole}, if none is associated`,
    ],
    apply: (account, { applied }) =>
      ensureServiceRole(account.access, {
        instance: name,
        account: applied.account,
        roleName: names.serviceRole,
      }),
  });
  const ca = settings.sandbox
    ? accountEffect({
        kind: sandboxCaKind,
        name,
        needs: { applied },
        changes: () => [],
        apply: async ({ sandboxCa }) => ({ pem: sandboxCa ?? "" }),
      })
    : undefined;
  return { name, names, applied, serviceRole, ca };
}
