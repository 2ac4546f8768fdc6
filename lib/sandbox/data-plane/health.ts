import * as v from "valibot";
import { shown } from "../../problem/index.ts";
import type { CoreDevice, Region } from "../account.ts";
import { queueForCore } from "../greengrass/queueing.ts";
import { configurationArn, isTerminal } from "../greengrass/jobs.ts";
import { objectIn, type Message, type Outcome } from "./messages.ts";

const texts = v.array(v.string());

const component = v.object({
  componentName: v.string(),
  version: v.string(),
  status: v.string(),
  isRoot: v.boolean(),
  componentStatusDetails: v.nullish(
    v.object({ statusCodes: v.nullish(texts), statusReason: v.nullish(v.string()) }),
  ),
});

/** What a nucleus reports of itself (aws-greengrass-nucleus, FleetStatusDetails; topic greengrassv2/health/json). */
const report = v.object({
  ggcVersion: v.string(),
  platform: v.string(),
  architecture: v.string(),
  // nucleus lite reports it; the classic one does not
  runtime: v.optional(v.string(), "aws_nucleus_classic"),
  thing: v.string(),
  sequenceNumber: v.number(),
  timestamp: v.number(), // ms
  messageType: v.optional(v.picklist(["COMPLETE", "PARTIAL"]), "COMPLETE"),
  overallDeviceStatus: v.picklist(["HEALTHY", "UNHEALTHY"]),
  components: v.nullish(v.array(component)),
  chunkInfo: v.nullish(v.object({ chunkId: v.number(), totalChunks: v.number() })),
  deploymentInformation: v.nullish(
    v.object({
      status: v.nullish(v.string()),
      fleetConfigurationArnForStatus: v.nullish(v.string()),
      deploymentId: v.nullish(v.string()),
      statusDetails: v.nullish(
        v.object({
          detailedStatus: v.nullish(v.string()),
          failureCause: v.nullish(v.string()),
          errorStack: v.nullish(texts),
          errorTypes: v.nullish(texts),
        }),
      ),
    }),
  ),
});

type Report = v.InferOutput<typeof report>;
type Component = CoreDevice["components"][number];

/** Takes the reports of cores; the chunks of one report are one report. */
export function healthReports(region: Region, log: (line: string) => void) {
  const chunks = new Map<string, Report[]>();
  return {
    take: (thing: string, { text, now }: Message): Outcome => {
      const parsed = v.safeParse(report, objectIn(text));
      if (!parsed.success || parsed.output.thing !== thing) {
        const why = parsed.success
          ? `it is of ${shown(parsed.output.thing)}`
          : `${v.getDotPath(parsed.issues[0]) ?? "it"}: ${parsed.issues[0].message}`;
        log(`${thing}: its health report is not taken: ${why}`);
        return {};
      }
      const whole = assembled(chunks, parsed.output);
      if (whole === undefined || !takeReport(region, whole)) {
        return {};
      }
      noteDeployment(region, whole);
      queueForCore(region, thing, now);
      return { changed: true };
    },
  };
}

/** The report that a chunk completes; undefined while others are to come. */
function assembled(chunks: Map<string, Report[]>, chunk: Report): Report | undefined {
  const { chunkInfo, thing, sequenceNumber } = chunk;
  if (chunkInfo === null || chunkInfo === undefined || chunkInfo.totalChunks <= 1) {
    return chunk;
  }
  const before = (chunks.get(thing) ?? []).filter((one) => one.sequenceNumber === sequenceNumber);
  const all = [...before.filter((one) => one.chunkInfo?.chunkId !== chunkInfo.chunkId), chunk];
  if (all.length < chunkInfo.totalChunks) {
    chunks.set(thing, all);
    return undefined;
  }
  chunks.delete(thing);
  return { ...chunk, components: all.flatMap(({ components }) => components ?? []) };
}

/**
 * A PARTIAL report names only what changed (aws-greengrass-nucleus, MessageType), and says UNINSTALLED of what is
 * gone. One that is older than what is known changes nothing: a core's count begins anew when it starts, so that it
 * is older only where its time is, too.
 */
function takeReport(region: Region, said: Report): boolean {
  const { thing: name, sequenceNumber: sequence, timestamp } = said;
  const known = region.coreDevices.get(name);
  const at = timestamp / 1000;
  if (known !== undefined && sequence < known.sequence && at <= known.updatedAt) {
    return false;
  }
  const reported = (said.components ?? []).map(componentOf);
  const kept =
    said.messageType === "PARTIAL"
      ? (known?.components ?? []).filter((old) => !reported.some((one) => one.name === old.name))
      : [];
  region.coreDevices.set(name, {
    name,
    version: said.ggcVersion,
    runtime: said.runtime,
    platform: said.platform,
    architecture: said.architecture,
    status: said.overallDeviceStatus,
    updatedAt: at,
    sequence,
    authorities: known?.authorities ?? [],
    components: [...kept, ...reported].filter(({ state }) => state !== "UNINSTALLED"),
  });
  return true;
}

function componentOf(said: v.InferOutput<typeof component>): Component {
  const { componentName, version, status, isRoot, componentStatusDetails } = said;
  const { statusCodes, statusReason } = componentStatusDetails ?? {};
  return {
    name: componentName,
    version,
    state: status,
    isRoot,
    codes: statusCodes ?? [],
    ...(statusReason === undefined || statusReason === null ? {} : { reason: statusReason }),
  };
}

/** What a job's update left open, the report tells: nucleus lite sends no details with its job. */
function noteDeployment(region: Region, { thing, deploymentInformation: said }: Report): void {
  const deployment = [...region.deployments.values()].find(
    (one) =>
      one.id === said?.deploymentId || configurationArn(region, one) === said?.fleetConfigurationArnForStatus,
  );
  const execution = region.executions.getPair(deployment?.id ?? "", thing);
  const details = said?.statusDetails;
  if (
    deployment === undefined ||
    execution === undefined ||
    !isTerminal(execution) ||
    details === null ||
    details === undefined
  ) {
    return;
  }
  const draft = region.executions.changePair(deployment.id, thing);
  if (execution.errors.length === 0) {
    draft.errors = details.errorStack ?? [];
    draft.errorTypes = details.errorTypes ?? [];
  }
  const reason = details.failureCause ?? details.detailedStatus;
  if (execution.reason === undefined && typeof reason === "string") {
    draft.reason = reason;
  }
}
