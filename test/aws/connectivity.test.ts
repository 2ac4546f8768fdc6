// What AWS answers where fleet indexing of connectivity is off: nothing is concluded from it (D5).
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tempFolder } from "../support/temp.ts";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { awsAccess } from "../../lib/aws/clients.ts";
import { connectivityOf } from "../../lib/aws/device-state.ts";
import { coreLinks } from "../../lib/check/core-links.ts";

/** Answers for connectivity with an error, for the core device with a fresh report. */
async function account(status: number, error: string) {
  const server = createServer((request, response) => {
    const isCore = request.url!.startsWith("/greengrass/v2/coreDevices/core-1");
    if (isCore && !request.url!.includes("Deployments")) {
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          coreDeviceThingName: "core-1",
          coreVersion: "2.16.0",
          status: "HEALTHY",
          lastStatusUpdateTimestamp: Date.now() / 1000,
        }),
      );
      return;
    }
    response.writeHead(status, { "content-type": "application/json", "x-amzn-errortype": error });
    response.end(JSON.stringify({ message: "AWS_Things index is not there" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = awsAccess({ region: "eu-west-1", endpoint });
  return {
    access,
    close: () => {
      access.close();
      server.close();
    },
  };
}

for (const [status, error, seen] of [
  [400, "InvalidRequestException", "unknown"],
  [400, "IndexNotReadyException", "unknown"],
  [404, "ResourceNotFoundException", "not seen"],
] as const) {
  test(`${status} ${error}: a healthy core cannot be seen to connect, and is not called disconnected (D5)`, async () => {
    const { access, close } = await account(status, error);
    try {
      assert.is(await connectivityOf(access, "core-1"), seen);
      const links = await coreLinks(
        {
          root: tempFolder("check"),
          account: { access, id: "123456789012", endpoint: undefined } as never,
          signal: new AbortController().signal,
        },
        {
          name: "core-1",
          group: "g",
          key: "laptop",
          sandbox: "simulated",
          runtime: "classic",
          registry: "terraform",
          host: "",
        },
      );
      const link = links.find(({ link: name }) => name === "MQTT connected")!;
      assert.is(link.state, "unchecked");
      assert.match(JSON.stringify(link), "fleet indexing of connectivity is off");
      assert.is(links.find(({ link: name }) => name === "healthy and fresh")!.state, "ok");
    } finally {
      close();
    }
  });
}

test.run();
