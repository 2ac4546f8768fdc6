import { X509Certificate } from "node:crypto";
import {
  bundleFolder,
  environmentName,
  variablesFile,
  accountEffect,
  accountKind,
  appliedBefore,
  coreHosts,
  accountId,
  ensureThingGroup,
  fact,
  file,
  nextRequestFile,
  removeThingGroup,
  nucleusSha256,
  registeredCore,
  rule,
  terraformModule,
  type CoreHosts,
  type CoreSettings,
  type CoreVars,
  type Facts,
  type FileValue,
  type Settings,
  type Step,
  type Target,
} from "dospesos";
import { bundleRule, headed, PRIVATE, READABLE, RUNNABLE, type BundleMember } from "./bundle.ts";
import { certificateFor, certificateForRequest, identity, nextOrKey, requestOfDevice } from "./identity.ts";
import type { Instance } from "./instance.ts";
import { devicePolicyName } from "./names.ts";
import { devicePolicy, wholeCorePolicy } from "./policies.ts";
import { sourcesOf, variables } from "./variables.ts";

export interface Core {
  readonly name: string;
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
  return { name, group, applied, archive: bundle(c, settings, shared, applied, made?.key) };
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
  return { name, group: registered, applied, archive: bundle(c, settings, shared, applied, made?.key) };
}

const AMAZON_CA = "AmazonRootCA1.pem";
const SANDBOX_CA = "SandboxCA.pem";

/**
 * Where a core must be able to connect to (AWS IoT Greengrass Developer Guide, "Allow device traffic through
 * a proxy or firewall"), as `host:port host:port`. Nothing for a device behind a proxy, and for a core that the sandbox
 * simulates: its endpoints are names only.
 */
function requiredEndpoints({ greengrass }: Settings, isDevice: boolean, hosts: CoreHosts): string {
  if (!isDevice || greengrass.proxy_url !== "") {
    return "";
  }
  const { data_plane_port: port, mqtt_port } = greengrass;
  return [`${hosts.data}:${mqtt_port}`, `${hosts.credentials}:443`, `${hosts.greengrass}:${port}`].join(" ");
}

/** The version that a core runs, and the digest of what brings it. */
function nucleusOf(
  { runtime }: CoreSettings,
  { greengrass, lite }: Settings,
): { readonly version: string; readonly sha256: string } {
  return runtime === "lite"
    ? { version: lite.version, sha256: lite.sha256 ?? "" }
    : { version: greengrass.version, sha256: nucleusSha256(greengrass.version, greengrass.sha256) };
}

/** What setup.sh looks for, whatever its name was. */
function litePackageName({ lite }: Settings): string {
  return `aws-greengrass-lite-${lite.version}.deb`;
}

/** `edge/out/<core>/` and its archive: everything that goes to the device. */
function bundle(
  c: CoreSettings,
  settings: Settings,
  shared: Instance,
  applied: Step<Facts<"core">>,
  key: Target | undefined,
): Core["archive"] {
  const { name } = c;
  const isLite = c.runtime === "lite";
  const isDevice = !settings.sandbox || c.sandbox === "device";
  const litePackage = isLite ? settings.lite.package?.replace(/^\.\//, "") : undefined;
  const needs = {
    applied,
    instance: shared.applied,
    key: key === undefined ? [] : [key],
    ca: shared.ca === undefined ? [] : [shared.ca],
    litePackage: litePackage === undefined ? [] : [file(litePackage)],
    runtime: file(`edge/installer/${c.runtime}.sh`),
    setup: file("edge/installer/setup.sh"),
    uninstall: file("edge/installer/uninstall.sh"),
    amazonCa: file(`edge/certificates/${AMAZON_CA}`),
  };
  type Member = BundleMember<typeof needs>;
  const values = () => ({
    sandbox: settings.sandbox,
    is_device: isDevice,
    root_ca: settings.sandbox ? SANDBOX_CA : AMAZON_CA,
    core: { name },
    greengrass: settings.greengrass,
    runtime: c.runtime,
  });
  const hostsOf = (instance: Facts<"instance">) =>
    coreHosts({
      region: settings.aws.region,
      fips: settings.greengrass.fips,
      data: instance.data_endpoint,
      credentials: instance.credentials_endpoint,
    });
  const config: Member = {
    mode: READABLE,
    content: ({ instance }, { render }) =>
      render(isLite ? "templates/core/lite.yaml.njk" : "templates/core/config.yaml.njk", {
        ...values(),
        instance,
        hosts: hostsOf(instance),
      }),
  };
  const setup: Member = {
    mode: RUNNABLE,
    content: ({ applied, instance, runtime, setup: script }, { render }) => {
      const { validFrom, validTo } = new X509Certificate(applied.certificate_pem);
      const head = render("templates/core/setup.sh.njk", {
        ...values(),
        nucleus: nucleusOf(c, settings),
        reach: requiredEndpoints(settings, isDevice, hostsOf(instance)),
        key_on_device: key === undefined,
        world: [accountId(settings), settings.aws.region, shared.name, environmentName()].join(" ").trimEnd(),
        certificate: { not_before: Date.parse(validFrom) / 1000, not_after: Date.parse(validTo) / 1000 },
      });
      return headed(headed(head, runtime.text), script.text);
    },
  };
  const uninstall: Member = {
    mode: RUNNABLE,
    content: ({ uninstall: script }, { render }) =>
      headed(render("templates/core/uninstall.sh.njk", values()), script.text),
  };
  const readme: Member = {
    mode: READABLE,
    content: (_, { render }) =>
      render("templates/core/README.txt.njk", {
        ...values(),
        nucleus: nucleusOf(c, settings),
        key_on_device: key === undefined,
      }),
  };
  const certificate: Member = {
    mode: READABLE,
    content: ({ applied, key: [own] }, context) =>
      own === undefined
        ? certificateForRequest(
            name,
            applied,
            context.readIfExists(nextRequestFile(name))?.text ?? requestOfDevice(name, context),
          )
        : certificateFor(name, applied, nextOrKey(name, own, context)),
  };
  const privateKey: Member = {
    mode: PRIVATE,
    content: ({ key: [own] }, context) => nextOrKey(name, own!, context).text,
  };
  return bundleRule({
    folder: bundleFolder(name),
    needs,
    onDemand: c.registry === "api",
    members: {
      "config.yaml": config,
      "setup.sh": setup,
      "uninstall.sh": uninstall,
      "README.txt": readme,
      "device.pem.crt": certificate,
      ...(key === undefined ? {} : { "private.pem.key": privateKey }),
      [AMAZON_CA]: { mode: READABLE, content: ({ amazonCa }) => amazonCa.bytes },
      ...(shared.ca === undefined
        ? {}
        : { [SANDBOX_CA]: { mode: READABLE, content: ({ ca: [ca] }) => ca!.pem } satisfies Member }),
      ...(litePackage === undefined
        ? {}
        : {
            [litePackageName(settings)]: {
              mode: READABLE,
              content: ({ litePackage: [it] }) => it!.bytes,
            } satisfies Member,
          }),
    },
  });
}
