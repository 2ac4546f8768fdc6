import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../file/index.ts";
import { AUTH, BROKER } from "../../aws/public-components.ts";
import { updatedConfiguration, type ConfigurationUpdate } from "./configuration.ts";

export { AUTH, BROKER };

export const DETECTOR = "aws.greengrass.clientdevices.IPDetector";

export const NUCLEUS = "aws.greengrass.Nucleus";

interface Component {
  readonly version: string;
  readonly configurationUpdate?: ConfigurationUpdate;
}

/** What a core runs: each component with the configuration that all deployments until now have left. */
export type Running = Readonly<
  Record<string, { readonly version: string; readonly configuration: unknown; readonly isRoot?: boolean }>
>;

export type Components = Readonly<Record<string, Component>>;

export interface Job {
  readonly jobId: string;
  readonly queuedAt: number;
  readonly jobDocument: FleetConfiguration;
}

/** What a deployment says to a core (aws-greengrass-component-common, Configuration.java). */
export interface FleetConfiguration {
  readonly deploymentId: string;
  readonly configurationArn: string;
  readonly components: Components;
}

/** What a message of IoT Core holds; undefined where it is no JSON object. */
export function messageIn(text: string): CoreMessage | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}

/** A document on one of the topics of a core's jobs and shadow. */
export interface CoreMessage {
  readonly execution?: Job;
  readonly state?: { readonly desired?: { readonly fleetConfig?: string; readonly desiredStatus?: string } };
  readonly code?: string;
  readonly message?: string;
}

/** A deployment that did not come about, with the error codes that the nucleus would report, the outermost first. */
export class DeploymentFailed extends Error {
  readonly codes: readonly string[];
  readonly types: readonly string[];

  constructor(codes: readonly string[], message: string, types: readonly string[] = ["REQUEST_ERROR"]) {
    super(message);
    this.codes = codes;
    this.types = types;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the nucleus reports of components without a process, and of the others. */
export function statusWhenWell(componentName: string): "FINISHED" | "RUNNING" {
  return /\.(Nucleus|Cli)$/.test(componentName) ? "FINISHED" : "RUNNING";
}

/** What a core runs after a deployment: components that nothing asks for go, with their configuration. */
export function runningAfter(
  before: Running,
  components: Components,
  resolved: ReadonlyMap<
    string,
    { readonly recipe: { readonly ComponentVersion: string }; readonly isRoot: boolean }
  >,
): Running {
  return Object.fromEntries(
    [...resolved].map(([name, { recipe, isRoot }]) => [
      name,
      {
        version: recipe.ComponentVersion,
        isRoot,
        configuration: updatedConfiguration(
          before[name]?.configuration,
          components[name]?.configurationUpdate ?? {},
        ),
      },
    ]),
  );
}

const KEPT = "deployed.json";

/** What a core ran when its sandbox ended. */
export function readRunning(home: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(join(home, KEPT), "utf8")) as Running;
  } catch {
    return undefined; // nothing was deployed yet
  }
}

export function keepRunning(home: string, running: Running): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  replaceFile(join(home, KEPT), JSON.stringify(running), { mode: 0o600 });
}
