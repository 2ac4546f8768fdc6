export const AUTH = "aws.greengrass.clientdevices.Auth";

export const BROKER = "aws.greengrass.clientdevices.mqtt.Moquette";

export const DETECTOR = "aws.greengrass.clientdevices.IPDetector";

export const NUCLEUS = "aws.greengrass.Nucleus";

interface Component {
  readonly version: string;
  readonly configurationUpdate?: { readonly merge?: unknown };
}

export type Components = Readonly<Record<string, Component>>;

export interface Job {
  readonly jobId: string;
  readonly jobDocument: { readonly deploymentId: string; readonly components: Components };
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

/** What AWS says of a component version that nobody made. */
export function missingComponent(name: string, version: string): DeploymentFailed {
  const what = `no component version ${name} ${version} (aws greengrassv2 list-component-versions lists them)`;
  return new DeploymentFailed("NO_AVAILABLE_COMPONENT_VERSION", what);
}
