/*
 * The variables and outputs of the three modules. terraform/instance, terraform/core and terraform/thing
 * declare the very same names. Every value is a text.
 */

/** What all cores and things of an instance share. */
export interface InstanceVars {
  readonly region: string;
  /** 12 digits */
  readonly account: string;
  readonly instance: string;
  /** Name of the IAM role whose credentials cores get. */
  readonly token_exchange_role: string;
  /** What that role may do: JSON. */
  readonly token_exchange_policy: string;
  readonly token_exchange_alias: string;
  /** Name of the IoT policy that all cores share. */
  readonly core_policy: string;
  /** That policy: JSON. */
  readonly core_policy_document: string;
  /** Anything that shall make an apply happen when it changes; it comes back as it is. */
  readonly revision: string;
}

export interface InstanceOutputs {
  readonly region: string;
  readonly account: string;
  readonly token_exchange_role_arn: string;
  readonly token_exchange_alias: string;
  readonly token_exchange_alias_arn: string;
  readonly core_policy: string;
  /** Host name for MQTT and for HTTPS. */
  readonly data_endpoint: string;
  /** Host name where a core gets the role's credentials. */
  readonly credentials_endpoint: string;
  readonly revision: string;
}

/** One Greengrass core. */
export interface CoreVars {
  readonly region: string;
  readonly account: string;
  readonly instance: string;
  /** Thing name. */
  readonly name: string;
  /** Thing group, which exists already: several cores share it. */
  readonly group: string;
  /** PKCS#10 PEM. */
  readonly csr: string;
  /** Name of the instance's shared IoT policy. */
  readonly core_policy: string;
  /** Name of the core's own IoT policy. */
  readonly device_policy: string;
  /** That policy: JSON. */
  readonly device_policy_document: string;
  readonly revision: string;
}

/** One client thing. */
export interface ThingVars {
  readonly region: string;
  readonly account: string;
  readonly instance: string;
  readonly name: string;
  /** PKCS#10 PEM. */
  readonly csr: string;
  /** Name of the thing's IoT policy. */
  readonly policy: string;
  /** That policy: JSON. */
  readonly policy_document: string;
  readonly revision: string;
}

/** What AWS gave a thing. */
export interface ThingOutputs {
  readonly thing_name: string;
  readonly thing_arn: string;
  readonly certificate_arn: string;
  readonly certificate_id: string;
  readonly certificate_pem: string;
  readonly revision: string;
}

export type CoreOutputs = ThingOutputs;
