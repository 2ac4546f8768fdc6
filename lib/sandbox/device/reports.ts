import { DeploymentFailed, messageOf, NUCLEUS, statusWhenWell, type Running } from "./components.ts";
import { architecture } from "./data-plane-client.ts";

export interface Health {
  readonly name: string;
  readonly version: string;
  readonly running: Running;
  /** The component that does not work. */
  readonly errored: string | undefined;
  readonly sequence: number;
  /** What it is reported for. */
  readonly trigger: string;
}

/**
 * What a nucleus sends at its start, after a deployment and once a day (aws-greengrass-nucleus,
 * FleetStatusService).
 */
export function healthReport({ name, version, running, errored, sequence, trigger }: Health): object {
  const components = Object.entries({ [NUCLEUS]: { version, isRoot: true }, ...running }).map(
    ([componentName, one]) => ({
      componentName,
      version: one.version,
      fleetConfigArns: [],
      status: componentName === errored ? "ERRORED" : statusWhenWell(componentName),
      isRoot: one.isRoot ?? true,
    }),
  );
  return {
    ggcVersion: version,
    platform: "linux",
    architecture: architecture(),
    thing: name,
    sequenceNumber: sequence,
    timestamp: Date.now(),
    messageType: "COMPLETE",
    trigger,
    overallDeviceStatus: errored === undefined ? "HEALTHY" : "UNHEALTHY",
    components,
  };
}

const FAILED = "FAILED_NO_STATE_CHANGE";
/** A detail's value has at most as many characters (IoT Jobs, statusDetails). */
const DETAIL_LENGTH = 1024;

/**
 * The details of a job that failed. A list in a detail is JSON text (aws-greengrass-nucleus,
 * IotJobsHelper.buildJobStatusDetails).
 */
export function jobFailure(error: unknown): Record<string, string> {
  return {
    "detailed-deployment-status": FAILED,
    "deployment-failure-cause": messageOf(error).slice(0, DETAIL_LENGTH),
    "deployment-error-stack": JSON.stringify(codesOf(error)),
    "deployment-error-types": JSON.stringify(typesOf(error)),
  };
}

/** What a deployment to a single thing came to; undefined: it succeeded. */
export function shadowStatus(error: unknown): object {
  if (error === undefined) {
    return { status: "SUCCEEDED", statusDetails: { detailedStatus: "SUCCESSFUL" } };
  }
  return {
    status: "FAILED",
    statusDetails: {
      detailedStatus: FAILED,
      failureCause: messageOf(error),
      errorStack: codesOf(error),
      errorTypes: typesOf(error),
    },
  };
}

function codesOf(error: unknown): readonly string[] {
  return ["DEPLOYMENT_FAILURE", ...(error instanceof DeploymentFailed ? error.codes : ["COMPONENT_ERROR"])];
}

function typesOf(error: unknown): readonly string[] {
  return error instanceof DeploymentFailed ? error.types : ["NUCLEUS_ERROR"];
}
