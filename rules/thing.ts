import { posix } from "node:path";
import {
  dataPlaneFile,
  kitFolder,
  variablesFile,
  accountEffect,
  accountKind,
  appliedBefore,
  accountId,
  associateClientDevice,
  disassociateClientDevice,
  file,
  greengrassHost,
  json,
  mqttModule,
  nextRequestFile,
  outputFolder,
  registeredThing,
  rule,
  terraformModule,
  type Context,
  type Facts,
  type Rule,
  type Settings,
  type Step,
  type Target,
  type ThingSettings,
  type ThingVars,
} from "dospesos";
import { bundleRule, PRIVATE, READABLE, RUNNABLE, type BundleMember } from "./bundle.ts";
import type { Core } from "./core.ts";
import { certificateFor, identity, nextOrKey } from "./identity.ts";
import type { Instance } from "./instance.ts";
import { thingPolicyName } from "./names.ts";
import { thingPolicy } from "./policies.ts";
import { sourcesOf, variables } from "./variables.ts";

/** The MQTT client of every kit, bundled once: a thing needs Node, and no npm. */
export function mqttClient(): Rule {
  return rule({ target: `${outputFolder()}/things/mqtt.mjs`, mode: READABLE, recipe: () => mqttModule() });
}

interface Association {
  readonly core: string;
  readonly thing: string;
}

/** A thing that is deleted would leave its association behind. */
const associationKind = accountKind<Association>({
  kind: "association of thing",
  version: "2",
  subjects: ({ name, outputs: { core } }) => [name, core],
  destroy: ({ outputs: { core, thing } }) => ({
    changes: [`-   association of ${thing} with ${core}`],
    run: ({ access }) => disassociateClientDevice(access, core, thing),
  }),
});

/**
 * One client thing: its certificate with only the rights that a client needs, its association with a core,
 * and its kit.
 */
export function thing(t: ThingSettings, settings: Settings, shared: Instance, core: Core, mqtt: Rule) {
  return t.registry === "api"
    ? thingByApi(t, settings, shared, core, mqtt)
    : thingByTerraform(t, settings, shared, core, mqtt);
}

/** Made by the registry's API: its association comes with it. */
function thingByApi(t: ThingSettings, settings: Settings, shared: Instance, core: Core, mqtt: Rule) {
  const { name } = t;
  const { key, csr } = identity(name).files;
  const applied = registeredThing({
    name,
    needs: { csr, core: core.applied, after: [shared.applied, shared.serviceRole] },
    spec: ({ csr, core }, { readIfExists }) => {
      const scope = { region: settings.aws.region, account: accountId(settings), name };
      return {
        core: core.thing_name,
        identity: {
          instance: shared.name,
          name,
          csr: csr.text,
          nextCsr: readIfExists(nextRequestFile(name))?.text ?? "",
          policy: {
            name: thingPolicyName(shared.name, name),
            document: JSON.stringify(thingPolicy(scope)),
          },
          sharedPolicies: [],
        },
      };
    },
  });
  return { name, archive: kit(t, settings, shared, applied, key, applied, mqtt) };
}

function thingByTerraform(t: ThingSettings, settings: Settings, shared: Instance, core: Core, mqtt: Rule) {
  const { name } = t;
  const { key, csr } = identity(name).files;
  const vars = rule({
    target: variablesFile("thing", name),
    needs: { csr, sources: sourcesOf("thing") },
    recipe: ({ csr, sources }, { readIfExists }) => {
      const scope = { region: settings.aws.region, account: accountId(settings) };
      return variables<ThingVars>(
        {
          ...scope,
          instance: shared.name,
          name,
          csr: csr.text,
          next_csr: readIfExists(nextRequestFile(name))?.text ?? "",
          policy: thingPolicyName(shared.name, name),
          policy_document: JSON.stringify(thingPolicy({ ...scope, name })),
        },
        sources,
      );
    },
  });
  const applied = terraformModule({ module: "thing", name, vars, after: [shared.applied] });
  // The thing moves: the association that this step made before goes, any other one stays.
  const previousCore = (context: Context): string | undefined =>
    appliedBefore(associationKind, name, context)?.core;
  const association = accountEffect({
    kind: associationKind,
    name,
    needs: { applied, core: core.applied, serviceRole: shared.serviceRole },
    changes: ({ core }, context) => {
      const before = previousCore(context);
      const gone =
        before === undefined || before === core.thing_name
          ? []
          : [`core ${before}: disassociate the client thing ${name}`];
      return [`core ${core.thing_name}: associate the client thing ${name}`, ...gone];
    },
    apply: async ({ access }, { core }, context): Promise<Association> => {
      const before = previousCore(context);
      await associateClientDevice(access, {
        core: core.thing_name,
        thing: name,
        ...(before === undefined ? {} : { previousCore: before }),
      });
      return { core: core.thing_name, thing: name };
    },
  });
  return { name, archive: kit(t, settings, shared, applied, key, association, mqtt) };
}

/** `edge/out/things/<thing>/` and its archive: what the client needs to find its core. */
function kit(
  t: ThingSettings,
  settings: Settings,
  shared: Instance,
  applied: Step<Facts<"thing">>,
  key: Target,
  association: Step<Association>,
  mqtt: Rule,
) {
  const { name } = t;
  const folder = kitFolder(name);
  const needs = {
    applied,
    key,
    association,
    mqtt,
    ca: shared.ca === undefined ? [] : [shared.ca],
    amazonCa: file("edge/certificates/AmazonRootCA1.pem"),
    discovery: file("edge/thing-kit/discovery.mjs"),
    coreConnection: file("edge/thing-kit/core-connection.mjs"),
    talk: file("edge/thing-kit/talk.mjs"),
  };
  type Member = BundleMember<typeof needs>;
  const certificate: Member = {
    mode: READABLE,
    content: ({ applied, key }, context) => certificateFor(name, applied, nextOrKey(name, key, context)),
  };
  const privateKey: Member = {
    mode: PRIVATE,
    content: ({ key }, context) => nextOrKey(name, key, context).text,
  };
  const connection: Member = {
    mode: READABLE,
    content: ({ association }) =>
      json({
        sandbox: settings.sandbox,
        thing: association.thing,
        core: association.core,
        region: settings.aws.region,
        discovery_host: greengrassHost(settings.aws.region),
        discovery_port: settings.greengrass.data_plane_port,
        certificate: "device.pem.crt",
        key: "private.pem.key",
        // The sandbox has other ports each time it runs, and tells them in its file.
        ...(settings.sandbox
          ? { ca: "SandboxCA.pem", data_plane: posix.relative(folder, dataPlaneFile()) }
          : { ca: "AmazonRootCA1.pem" }),
      }),
  };
  const readme: Member = {
    mode: READABLE,
    content: ({ association }, { render }) =>
      render("templates/thing/README.txt.njk", {
        sandbox: settings.sandbox,
        thing: { name, core: association.core },
      }),
  };
  return bundleRule({
    folder,
    needs,
    onDemand: t.registry === "api",
    members: {
      "device.pem.crt": certificate,
      "private.pem.key": privateKey,
      "connection.json": connection,
      "README.txt": readme,
      "AmazonRootCA1.pem": { mode: READABLE, content: ({ amazonCa }) => amazonCa.bytes },
      "discovery.mjs": { mode: READABLE, content: ({ discovery }) => discovery.bytes },
      "core-connection.mjs": { mode: READABLE, content: ({ coreConnection }) => coreConnection.bytes },
      "talk.mjs": { mode: RUNNABLE, content: ({ talk }) => talk.bytes },
      "mqtt.mjs": { mode: READABLE, content: ({ mqtt }) => mqtt.bytes },
      ...(shared.ca === undefined
        ? {}
        : { "SandboxCA.pem": { mode: READABLE, content: ({ ca: [ca] }) => ca!.pem } satisfies Member }),
    },
  });
}
