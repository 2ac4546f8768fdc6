// A deployment goes out at a rate, ends when too many cores fail, and gives up cores that take too long.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Account, type Region } from "../../lib/sandbox/account.ts";
import { carryOn, endIfFailed, queue } from "../../lib/sandbox/greengrass/queueing.ts";
import { iotArn } from "../../lib/sandbox/arns.ts";

/** A region with a group of cores, and a deployment to it. */
function fleet(size: number, iotJobConfiguration: object): { region: Region; statuses: () => string[] } {
  const account = new Account({
    id: "000000000000",
    dataPrefix: "a".repeat(14),
    credentialsPrefix: "b".repeat(14),
    ca: { key: "", certificate: "" },
  });
  const region = account.region("eu-west-1");
  for (let index = 0; index < size; index++) {
    const name = `core-${index}`;
    region.memberships.setPair("lab", name, {});
    region.coreDevices.set(name, {
      ...{
        name,
        version: "2.16.0",
        runtime: "aws_nucleus_classic",
        platform: "linux",
        architecture: "arm64",
      },
      ...{ status: "HEALTHY", updatedAt: 0, sequence: 0, components: [], authorities: [] },
    });
  }
  region.deployments.set("d", {
    ...{ id: "d", job: "j", target: iotArn(region, "thinggroup/lab"), revision: "1", latest: true },
    ...{ canceled: false, tags: {}, createdAt: 0 },
    document: JSON.stringify({ components: {}, iotJobConfiguration }),
  });
  return {
    region,
    statuses: () =>
      region.executions.rightOf("d").map((core) => region.executions.getPair("d", core)!.status),
  };
}

const at = (region: Region, now: number): boolean => carryOn(region, now);

test("so many cores a minute, until all have it", () => {
  const { region, statuses } = fleet(5, { jobExecutionsRolloutConfig: { maximumPerMinute: 2 } });
  assert.ok(at(region, 0));
  assert.is(statuses().length, 2);
  assert.not(at(region, 30));
  at(region, 61);
  assert.is(statuses().length, 4);
  at(region, 122);
  assert.is(statuses().length, 5);
});

test("once too many of those that have a result failed, the others do not get it", () => {
  const criteriaList = [
    { failureType: "FAILED", action: "CANCEL", thresholdPercentage: 50, minNumberOfExecutedThings: 3 },
  ];
  const { region, statuses } = fleet(5, { abortConfig: { criteriaList } });
  at(region, 0);
  const deployment = region.deployments.get("d")!;
  const ends = (core: string, status: "FAILED" | "SUCCEEDED"): boolean => {
    region.executions.changePair("d", core).status = status;
    return endIfFailed(region, deployment, 1);
  };
  assert.not(ends("core-0", "FAILED"));
  assert.not(ends("core-1", "SUCCEEDED"));
  assert.ok(ends("core-2", "FAILED"));
  assert.equal(statuses(), ["FAILED", "SUCCEEDED", "FAILED", "CANCELED", "CANCELED"]);
  assert.ok(region.deployments.get("d")!.canceled);
});

test("a core that works on it for too long has failed it", () => {
  const { region, statuses } = fleet(1, { timeoutConfig: { inProgressTimeoutInMinutes: 5 } });
  queue(region, region.deployments.get("d")!, "core-0", 0);
  region.executions.changePair("d", "core-0").status = "IN_PROGRESS";
  assert.not(at(region, 299));
  assert.ok(at(region, 301));
  assert.equal(statuses(), ["TIMED_OUT"]);
});

test.run();
