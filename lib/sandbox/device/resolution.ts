import { manifestFor, type Recipe } from "../greengrass/recipes.ts";
import { DeploymentFailed, type Components } from "./components.ts";
import { architecture, type DataPlaneClient } from "./data-plane-client.ts";

/** What a deployment comes to: a version of each component that it names, and of each that those depend on. */
export interface Resolved {
  readonly recipe: Recipe;
  /** Whether the deployment names it itself. */
  readonly isRoot: boolean;
}

/**
 * Asks the account for a version of every component that meets what all others ask of it, as the nucleus does.
 * @throws DeploymentFailed where there is none.
 */
export async function resolveComponents(
  client: DataPlaneClient,
  components: Components,
): Promise<Map<string, Resolved>> {
  const requirements = new Map<string, Record<string, string>>(
    Object.entries(components).map(([name, { version }]) => [name, { deployment: version }]),
  );
  const resolved = new Map<string, Resolved>();
  const open = [...requirements.keys()];
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    const ranges = requirements.get(name) ?? {};
    const found = await client.resolve(name, ranges);
    if (typeof found === "string") {
      throw unresolved(name, ranges, found);
    }
    const { recipe } = found;
    await checkArtifacts(client, found);
    resolved.set(name, { recipe, isRoot: Object.hasOwn(components, name) });
    for (const [other, needed] of Object.entries(recipe.ComponentDependencies ?? {})) {
      const range = needed?.VersionRequirement ?? "*";
      const known = requirements.get(other);
      if (known?.[name] !== range) {
        requirements.set(other, { ...known, [name]: range });
        open.push(other);
      }
    }
  }
  return resolved;
}

/** Fetches what the recipe names for this platform, and holds it against the digest in it. */
async function checkArtifacts(
  client: DataPlaneClient,
  { recipe, arn }: { readonly recipe: Recipe; readonly arn: string },
): Promise<void> {
  const manifest = manifestFor(recipe, { os: "linux", architecture: architecture() });
  for (const { Uri: uri = "", Digest: wanted } of manifest?.Artifacts ?? []) {
    const [, name] = /^greengrass:(.+)$/.exec(uri) ?? [];
    if (name === undefined || typeof wanted !== "string") {
      continue;
    }
    if ((await client.artifactDigest(arn, name)) !== wanted) {
      throw new DeploymentFailed(
        ["ARTIFACT_DOWNLOAD_ERROR", "ARTIFACT_CHECKSUM_MISMATCH"],
        `the artifact ${name} of ${recipe.ComponentName} ${recipe.ComponentVersion} is not the one that was registered`,
        ["COMPONENT_ERROR"],
      );
    }
  }
}

function unresolved(name: string, ranges: Readonly<Record<string, string>>, said: string): DeploymentFailed {
  const asked = Object.entries(ranges).map(([who, range]) => `${who} asks ${range}`);
  return asked.length === 1
    ? new DeploymentFailed(
        ["NO_AVAILABLE_COMPONENT_VERSION"],
        `no component version ${name} ${ranges["deployment"] ?? ""}: ${said} (aws greengrassv2 list-component-versions lists them)`,
      )
    : new DeploymentFailed(
        ["NO_AVAILABLE_COMPONENT_VERSION", "COMPONENT_VERSION_REQUIREMENTS_NOT_MET"],
        `no version of ${name} meets what is asked of it: ${asked.join(", ")}`,
      );
}
