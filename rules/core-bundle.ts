import { X509Certificate } from "node:crypto";
import {
  accountId,
  bundleFolder,
  coreHosts,
  environmentName,
  file,
  nextRequestFile,
  nucleusSha256,
  type CoreHosts,
  type CoreSettings,
  type Facts,
  type FileValue,
  type Settings,
  type Step,
  type Target,
} from "dospesos";
import { bundleRule, headed, PRIVATE, READABLE, RUNNABLE, type BundleMember } from "./bundle.ts";
import { certificateFor, certificateForRequest, nextOrKey, requestOfDevice } from "./identity.ts";
import type { Instance } from "./instance.ts";

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
export function coreBundle(
  c: CoreSettings,
  settings: Settings,
  shared: Instance,
  applied: Step<Facts<"core">>,
  key: Target | undefined,
): Step<Readonly<Record<string, FileValue>>> {
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
