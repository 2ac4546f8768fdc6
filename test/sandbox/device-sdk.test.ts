// The AWS IoT Device SDK against the sandbox: another reading of discovery and of MQTT than our kit's.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDataPlane } from "../../lib/sandbox/data-plane/index.ts";
import { PLAIN, reached, Started } from "../support/bin.ts";
import { freshClone, repository } from "../support/clone.ts";
import { testWhere } from "../support/tools.ts";

/**
 * The SDK takes another host for discovery, but no other port: it asks 443 where ALPN is available, as on
 * Linux.
 */
const SDK_PORT = 443;

async function hindrance(): Promise<string | undefined> {
  if (process.platform !== "linux") {
    return "needs Linux, where the SDK asks port 443";
  }
  try {
    if (
      !existsSync(
        join(dirname(createRequire(import.meta.url).resolve("aws-crt/package.json")), "dist", "bin"),
      )
    ) {
      return "needs aws-crt with its binaries";
    }
  } catch {
    return "needs the npm package aws-iot-device-sdk-v2";
  }
  const server = createServer().listen(SDK_PORT, "127.0.0.1");
  try {
    await once(server, "listening");
    server.close();
    return undefined;
  } catch (error) {
    return `needs port ${SDK_PORT} of the loopback interface (${(error as NodeJS.ErrnoException).code})`;
  }
}

testWhere(
  test,
  await hindrance(),
  "a client of the AWS IoT Device SDK discovers its core and exchanges a message through it",
  async () => {
    const clone = freshClone();
    assert.is(clone.dospesos("build").exit, 0);
    let told = "";
    const wakes = new Set<() => void>();
    const devices = await openDataPlane({
      file: join(clone.root, "terraform/state/sandbox/account.json"),
      region: "eu-west-1",
      bundles: join(clone.root, "edge/out"),
      ports: { https: SDK_PORT },
      log: (line) => {
        told += `${line}\n`;
        for (const wake of wakes) {
          wake();
        }
      },
    });
    try {
      await reached(
        () => /core-1 has deployment/.test(told),
        (wake) => {
          wakes.add(wake);
          return () => wakes.delete(wake);
        },
        20_000,
        () => told,
      );
      const client = new Started(
        repository,
        process.execPath,
        [
          "--import",
          "tsx",
          fileURLToPath(new URL("device-sdk-client.ts", import.meta.url)),
          join(clone.root, "edge/out/things/thing-1"),
          "thing-1",
        ],
        { env: PLAIN },
      );
      const { exit, stdout, stderr } = await client.end(60_000);
      assert.is(exit, 0, stderr + told);
      assert.is(stdout, "received: hello from the SDK\n");
    } finally {
      await devices.close();
    }
  },
);

test.run();
