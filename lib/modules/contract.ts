/**
 * The contract of the Terraform modules in terraform/: what each is given, what it gives back, and by which name a
 * resource of it that exists already is imported. It is declared here alone; test/terraform/contract.test.ts holds
 * the HCL against it. Every value is a text.
 */
export const modules = {
  /** What all cores and things of an instance share. */
  instance: {
    variables: [
      "region",
      /** 12 digits. */
      "account",
      "instance",
      /** Name of the IAM role whose credentials cores get. */
      "token_exchange_role",
      /** What that role may do: JSON. */
      "token_exchange_policy",
      "token_exchange_alias",
      /** Name of the IoT policy that all cores share. */
      "core_policy",
      /** That policy: JSON. */
      "core_policy_document",
      /** Anything that makes an apply happen when it changes; it comes back as it is. */
      "revision",
    ],
    outputs: [
      "region",
      "account",
      "token_exchange_role_arn",
      "token_exchange_alias",
      "token_exchange_alias_arn",
      "core_policy",
      /** Host name for MQTT and for HTTPS. */
      "data_endpoint",
      /** Host name where a core gets the role's credentials. */
      "credentials_endpoint",
      "revision",
    ],
    imports: {
      "aws_iam_role.token_exchange": "token_exchange_role",
      "aws_iot_role_alias.token_exchange": "token_exchange_alias",
      "aws_iot_policy.core": "core_policy",
    },
  },
  /** One Greengrass core. */
  core: {
    variables: [
      "region",
      "account",
      "instance",
      /** Thing name. */
      "name",
      /** Thing group, which exists already: several cores share it. */
      "group",
      /** PKCS#10 PEM. */
      "csr",
      /** The same for the certificate that is to follow, while the identity is rotated; else empty. */
      "next_csr",
      /** Name of the instance's shared IoT policy. */
      "core_policy",
      /** Name of the core's own IoT policy. */
      "device_policy",
      /** That policy: JSON. */
      "device_policy_document",
      "revision",
    ],
    outputs: ["thing_name", "thing_arn", "certificate_arn", "certificate_id", "certificate_pem", "revision"],
    imports: { "aws_iot_thing.core": "name", "aws_iot_policy.device": "device_policy" },
  },
  /** One client thing. */
  thing: {
    variables: [
      "region",
      "account",
      "instance",
      "name",
      /** PKCS#10 PEM. */
      "csr",
      /** As of a core. */
      "next_csr",
      /** Name of the thing's IoT policy. */
      "policy",
      /** That policy: JSON. */
      "policy_document",
      "revision",
    ],
    outputs: ["thing_name", "thing_arn", "certificate_arn", "certificate_id", "certificate_pem", "revision"],
    imports: { "aws_iot_thing.thing": "name", "aws_iot_policy.thing": "policy" },
  },
} as const satisfies Readonly<Record<string, ModuleContract>>;

interface ModuleContract {
  readonly variables: readonly string[];
  readonly outputs: readonly string[];
  /**
   * The resources that a person gives their names, so that they can be there already when Terraform would make
   * them: by address, the variable that holds the name, which is the id that `import` takes. What has no name of
   * its own (an attachment) can be made twice without harm.
   */
  readonly imports: Readonly<Record<string, string>>;
}

/** The name of a module: the folder below terraform/. */
export type ModuleName = keyof typeof modules;

/** In the order in which they are applied. */
export const MODULE_NAMES: readonly ModuleName[] = ["instance", "core", "thing"];

type Texts<N extends string> = { readonly [K in N]: string };

export type ModuleVars<M extends ModuleName> = Texts<(typeof modules)[M]["variables"][number]>;
export type ModuleOutputs<M extends ModuleName> = Texts<(typeof modules)[M]["outputs"][number]>;

export type InstanceVars = ModuleVars<"instance">;
export type InstanceOutputs = ModuleOutputs<"instance">;
export type CoreVars = ModuleVars<"core">;
export type CoreOutputs = ModuleOutputs<"core">;
export type ThingVars = ModuleVars<"thing">;
export type ThingOutputs = ModuleOutputs<"thing">;
