/** The public API: what `import … from "dospesos"` gives to a Dofile and to rules. */
import type { EndContext } from "./account/account-effect.ts";
import type { Context } from "./context.ts";
import { declare, type Declare, type Project, type ProjectInput } from "./dofile/index.ts";
import type { Group, Step } from "./engine/index.ts";
import type { Settings } from "./settings/index.ts";

export type { Context } from "./context.ts";
export { file, glob, group } from "./dofile/index.ts";
export { ProblemError } from "./problem/index.ts";
export type {
  Content,
  EffectPlan,
  FileValue,
  Glob,
  Group,
  Need,
  Needs,
  Rule,
  RuleOfMany,
  SourceFile,
  Step,
  Target,
  ValueOf,
  ValuesOf,
} from "./engine/index.ts";
export type { Problem } from "./problem/index.ts";
export type { ByName, CoreSettings, GroupSettings, Settings, ThingSettings } from "./settings/index.ts";

export const { rule, fact, effect, effectKind } = declare as Declare<Context, EndContext>;
export type { Drift, EffectKind, Marker, Teardown } from "./engine/index.ts";

/**
 * What a Dofile exports. The function gives the groups and steps that the project offers; it runs each time
 * when the graph has to be made again, which is when the Dofile, a module that it imports, or something that
 * it read here has changed.
 */
export function project(
  define: (input: ProjectInput<Settings>) => readonly (Step<unknown> | Group)[],
): Project {
  return { kind: "project", define: define as Project["define"] };
}

/** Any JSON value as the text of a file: two spaces, a final line break. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export { accountId, type Account } from "./account/account.ts";
export { accountEffect, accountKind, appliedBefore, type EndContext } from "./account/account-effect.ts";
export { terraformModule, type Facts } from "./account/terraform-module.ts";
export { registeredCore, registeredThing } from "./account/registered.ts";
export { moduleSources } from "./modules/sources.ts";
export { associateClientDevice, disassociate as disassociateClientDevice } from "./aws/client-device.ts";
export { ensureComponent, removeComponent } from "./aws/component.ts";
export { ensureDeployment, removeDeployments, type Deployed } from "./aws/deployment.ts";
export { coreHosts, greengrassHost, type CoreHosts } from "./aws/hosts.ts";
export { partitionOf } from "./aws/partition.ts";
export { ensureServiceRole, removeServiceRole, type Shared } from "./aws/service-role.ts";
export { ensureStateBucket } from "./aws/state-bucket.ts";
export { ensureThingGroup, leaveThingGroup, removeThingGroup } from "./aws/thing-group.ts";
export type { VersionedRecipe } from "./device/component-recipe.ts";
export { GDK_CONFIG } from "./device/component-folder.ts";
export { readComponent } from "./device/component-source.ts";
export { archive, manifest, type BundleFile } from "./device/bundle.ts";
export {
  certificateBelongsTo,
  checkKey,
  createCsr,
  createKey,
  createKeyAndCsr,
  csrBelongsTo,
  publicKeyOf,
  requestedKey,
} from "./pki/keypair.ts";
export { fetchOnce } from "./device/fetch-nucleus.ts";
export { checkNucleus, nucleusSha256, nucleusUrl } from "./device/nucleus.ts";
export { mqttModule } from "./device/mqtt-module.ts";
export type { CoreVars, InstanceVars, ThingVars } from "./modules/contract.ts";
export {
  bundleFolder,
  archiveOf,
  dataPlaneFile,
  deviceRequestFile,
  environmentName,
  kitFolder,
  nextKeyFile,
  nextRequestFile,
  nucleusFile,
  outputFolder,
  privateKeyFile,
  requestFile,
  variablesFile,
} from "./layout.ts";
