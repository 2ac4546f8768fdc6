import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { headed } from "../../rules/bundle.ts";
import { createRenderer } from "../../lib/render/index.ts";

export const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const renderer = createRenderer();

/** The text that a template of this project gives. */
export function rendered(template: string, values: object): string {
  const read = (path: string): string => readFileSync(join(project, path), "utf8");
  return renderer.render(`templates/${template}`, { ...values }, { read });
}

/** A script as a bundle has it. */
export function script(name: "setup.sh" | "uninstall.sh", values: object): string {
  const plain = (file: string): string => readFileSync(join(project, "edge/installer", file), "utf8");
  const head = rendered(`core/${name}.njk`, values);
  return headed(name === "setup.sh" ? headed(head, plain("classic.sh")) : head, plain(name));
}

/** Values for every template of a core's bundle. */
export interface CoreValues {
  sandbox: boolean;
  is_device: boolean;
  root_ca: string;
  core: { name: string };
  greengrass: Record<string, string | number | boolean>;
  instance: Record<string, string>;
  hosts: Record<string, string>;
  runtime: "classic";
  nucleus: { version: string; sha256: string };
  certificate: { not_before: number; not_after: number };
  reach: string;
  key_on_device: boolean;
  world: string;
}

export interface ValuesChange {
  sandbox?: boolean;
  isDevice?: boolean;
  greengrass?: CoreValues["greengrass"];
  sha256?: string;
  notBefore?: number;
  notAfter?: number;
  reach?: string;
  keyOnDevice?: boolean;
  world?: string;
}

export function coreValues(change: ValuesChange = {}): CoreValues {
  return {
    sandbox: change.sandbox ?? false,
    is_device: change.isDevice ?? change.sandbox !== true,
    root_ca: change.sandbox === true ? "SandboxCA.pem" : "AmazonRootCA1.pem",
    core: { name: "core-1" },
    greengrass: {
      version: "2.16.0",
      root: "/greengrass/v2",
      posix_user: "ggc_user:ggc_group",
      jvm_options: "-Xmx128m",
      mqtt_port: 8883,
      data_plane_port: 8443,
      proxy_url: "",
      no_proxy: "",
      log_level: "INFO",
      polling_seconds: 15,
      store_max_bytes: 10_000_000_000,
      fips: false,
      ...change.greengrass,
    },
    instance: {
      region: "eu-west-1",
      token_exchange_alias: "dospesos-token-exchange",
    },
    hosts: {
      data: "abc-ats.iot.eu-west-1.amazonaws.com",
      credentials: "abc.credentials.iot.eu-west-1.amazonaws.com",
      greengrassSetting: "",
    },
    runtime: "classic",
    nucleus: { version: "2.16.0", sha256: change.sha256 ?? "0".repeat(64) },
    certificate: {
      not_before: change.notBefore ?? 1_700_000_000,
      not_after: change.notAfter ?? 4_000_000_000,
    },
    reach: change.reach ?? "",
    key_on_device: change.keyOnDevice ?? false,
    world: change.world ?? "123456789012 eu-west-1 dospesos",
  };
}
