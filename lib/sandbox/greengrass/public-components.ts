import { AUTH, BROKER } from "../../aws/public-components.ts";

/** One of AWS's own components, as far as the sandbox knows it. */
interface PublicComponent {
  /** The versions that there are; undefined: every one that follows a nucleus. */
  readonly versions?: readonly string[];
  readonly type: string;
  readonly runtime: string;
  readonly dependencies?: (version: string) => Readonly<Record<string, string>>;
}

const CLASSIC = "aws_nucleus_classic";
const PLUGIN = "aws.greengrass.plugin";

/**
 * AWS's own components with the versions that the sandbox knows. Their code is AWS's, and is not here: a real core of
 * the classic runtime cannot fetch them from a sandbox.
 */
const PUBLIC: ReadonlyMap<string, PublicComponent> = new Map<string, PublicComponent>([
  ["aws.greengrass.Nucleus", { type: "aws.greengrass.nucleus", runtime: CLASSIC }],
  ["aws.greengrass.NucleusLite", { type: "aws.greengrass.nucleus", runtime: "aws_nucleus_lite" }],
  ["aws.greengrass.Cli", { type: PLUGIN, runtime: CLASSIC }],
  [AUTH, { versions: ["2.5.0", "2.5.1", "2.5.2"], type: PLUGIN, runtime: CLASSIC }],
  [
    BROKER,
    {
      versions: ["2.3.5", "2.3.6", "2.3.7"],
      type: PLUGIN,
      runtime: CLASSIC,
      // Greengrass V2 Developer Guide, "MQTT 3.1.1 broker (Moquette)", dependencies
      dependencies: (version) => ({ [AUTH]: version === "2.3.7" ? ">=2.2.0 <2.6.0" : ">=2.2.0 <2.5.0" }),
    },
  ],
  [
    "aws.greengrass.clientdevices.mqtt.Bridge",
    {
      versions: ["2.3.1", "2.3.2"],
      type: PLUGIN,
      runtime: CLASSIC,
      dependencies: () => ({ [AUTH]: ">=2.2.0 <2.6.0" }),
    },
  ],
  [
    "aws.greengrass.clientdevices.IPDetector",
    { versions: ["2.1.9", "2.2.0"], type: PLUGIN, runtime: CLASSIC },
  ],
]);

/** From 2.9.5 on a nucleus takes what DosPesos configures; lite begins with 2.0. */
const FOLLOWS_A_NUCLEUS = /^2\.\d{1,6}\.\d{1,6}$/;

export function isPublic(name: string): boolean {
  return PUBLIC.has(name);
}

export function hasPublicVersion(name: string, version: string): boolean {
  const found = PUBLIC.get(name);
  if (found === undefined) {
    return false;
  }
  if (found.versions !== undefined) {
    return found.versions.includes(version);
  }
  return name === "aws.greengrass.NucleusLite"
    ? FOLLOWS_A_NUCLEUS.test(version)
    : /^2\.(9\.[5-9]|[1-9]\d+\.\d+)$/.test(version);
}

/** The versions to choose from, where a requirement names no single one. */
export function publicVersions(name: string): readonly string[] {
  const found = PUBLIC.get(name);
  return found === undefined ? [] : (found.versions ?? [name.endsWith("Lite") ? "2.6.0" : "2.16.0"]);
}

export function publicRecipe(name: string, version: string): string {
  const { type, runtime, dependencies } = PUBLIC.get(name) ?? { type: PLUGIN, runtime: CLASSIC };
  const needs = Object.entries(dependencies?.(version) ?? {}).map(([other, range]) => [
    other,
    { VersionRequirement: range, DependencyType: "HARD" },
  ]);
  return JSON.stringify({
    RecipeFormatVersion: "2020-01-25",
    ComponentName: name,
    ComponentVersion: version,
    ComponentType: type,
    ComponentPublisher: "AWS",
    ComponentDependencies: Object.fromEntries(needs) as object,
    Manifests: [{ Platform: { os: "*", runtime } }],
  });
}
