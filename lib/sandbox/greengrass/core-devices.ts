import * as v from "valibot";
import type { CoreDevice } from "../account.ts";
import { groupMembers } from "../iot/groups.ts";
import { integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { CORE_DEVICE_PATH, coreDeviceNamed, deviceName } from "./registry.ts";

const paging = { maxResults: v.optional(integer), nextToken: v.optional(v.string()) };

function listed(core: CoreDevice): object {
  return {
    coreDeviceThingName: core.name,
    status: core.status,
    lastStatusUpdateTimestamp: core.updatedAt,
    platform: core.platform,
    architecture: core.architecture,
    runtime: core.runtime,
  };
}

/** Core devices: one exists from the moment when its nucleus first reports its health. */
export const coreDeviceOperations = [
  rest(
    "greengrass",
    "GetCoreDevice",
    `GET ${CORE_DEVICE_PATH}`,
    { coreDeviceThingName: deviceName },
    ({ region }, input) => {
      const core = coreDeviceNamed(region, input.coreDeviceThingName);
      return { ...listed(core), coreVersion: core.version, tags: {} };
    },
  ),

  rest(
    "greengrass",
    "DeleteCoreDevice",
    `DELETE ${CORE_DEVICE_PATH} 204`,
    { coreDeviceThingName: deviceName },
    ({ region }, input) => {
      const { name } = coreDeviceNamed(region, input.coreDeviceThingName);
      region.coreDevices.delete(name);
      region.connectivity.delete(name);
      region.executions.deleteAll({ right: name });
      return undefined;
    },
  ),

  rest(
    "greengrass",
    "ListCoreDevices",
    "GET /greengrass/v2/coreDevices",
    {
      thingGroupArn: v.optional(v.string()),
      status: v.optional(v.picklist(["HEALTHY", "UNHEALTHY"])),
      runtime: v.optional(v.picklist(["aws_nucleus_classic", "aws_nucleus_lite"])),
      ...paging,
    },
    ({ region }, input) => {
      const members =
        input.thingGroupArn === undefined ? undefined : new Set(groupMembers(region, input.thingGroupArn));
      const cores = [...region.coreDevices.values()].filter(
        (core) =>
          (members === undefined || members.has(core.name)) &&
          (input.status === undefined || core.status === input.status) &&
          (input.runtime === undefined || input.runtime === core.runtime),
      );
      const { entries, next } = page(cores, input.maxResults, input.nextToken);
      return { coreDevices: entries.map(listed), nextToken: next };
    },
  ),

  rest(
    "greengrass",
    "ListInstalledComponents",
    `GET ${CORE_DEVICE_PATH}/installedComponents`,
    {
      coreDeviceThingName: deviceName,
      topologyFilter: v.optional(v.picklist(["ALL", "ROOT"]), "ROOT"),
      ...paging,
    },
    ({ region }, input) => {
      const core = coreDeviceNamed(region, input.coreDeviceThingName);
      const { entries, next } = page(
        core.components.filter(({ isRoot }) => isRoot || input.topologyFilter === "ALL"),
        input.maxResults,
        input.nextToken,
      );
      const installedComponents = entries.map((one) => ({
        componentName: one.name,
        componentVersion: one.version,
        lifecycleState: one.state,
        lifecycleStatusCodes: one.codes,
        lifecycleStateDetails: one.reason,
        isRoot: one.isRoot,
        lastStatusChangeTimestamp: core.updatedAt,
        lastReportedTimestamp: core.updatedAt,
      }));
      return { installedComponents, nextToken: next };
    },
  ),
];
