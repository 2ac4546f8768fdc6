import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../file/index.ts";
import { AUTH, BROKER, componentConflict } from "../../aws/public-components.ts";
import { updatedConfiguration, type ConfigurationUpdate } from "./configuration.ts";

export { AUTH, BROKER };

export const DETECTOR = "aws.greengrass.clientdevices.IPDetector";

export const NUCLEUS = "aws.greengrass.Nucleus";

interface Component {
  readonly version: string;
  readonly configurationUpdate?: ConfigurationUpdate;
}

/** What a core runs: each component with the configuration that all deployments until now have left. */
export type Running = Readonly<Record<string, { readonly version: string; readonly configuration: unknown }>>;

export type Components = Readonly<Record<string, Component>>;

export interface Job {
  readonly jobId: string;
  readonly jobDocument: { readonly deploymentId: string; readonly components: Components };
}

/** What a message on a jobs topic holds; undefined where it is no JSON object. */
export function jobIn(text: string): { readonly execution?: Job } | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}

/** A deployment that did not come about, with the error code that the nucleus would report. */
export class DeploymentFailed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the nucleus reports of components without a process, and of the others. */
export function statusWhenWell(componentName: string): "FINISHED" | "RUNNING" {
  return /\.(Nucleus|Cli)$/.test(componentName) ? "FINISHED" : "RUNNING";
}

/** What a core runs after a deployment: components that it does not name go, with their configuration. */
export function runningAfter(before: Running, components: Components): Running {
  return Object.fromEntries(
    Object.entries(components).map(([name, { version, configurationUpdate = {} }]) => [
      name,
      {
        version,
        configuration: updatedConfiguration(before[name]?.configuration, configurationUpdate),
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

/** Throws where no set of versions meets what the components depend on, as the nucleus reports it. */
export function checkDependencies(components: Components): void {
  const [broker, auth] = [components[BROKER]?.version, components[AUTH]?.version];
  const conflict =
    broker === undefined || auth === undefined ? undefined : componentConflict({ broker, auth });
  if (conflict !== undefined) {
    throw new DeploymentFailed("COMPONENT_VERSION_REQUIREMENTS_NOT_MET", conflict);
  }
}

/** What AWS says of a component version that nobody made. */
export function missingComponent(name: string, version: string): DeploymentFailed {
  const what = `no component version ${name} ${version} (aws greengrassv2 list-component-versions lists them)`;
  return new DeploymentFailed("NO_AVAILABLE_COMPONENT_VERSION", what);
}
