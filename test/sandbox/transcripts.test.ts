// What AWS's nucleus lite said to the sandbox and what it was answered, as it was recorded: said again, word by word,
// it gets the same answers. A new one is recorded by real-core.test.ts with DOSPESOS_RECORD.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as gg from "@aws-sdk/client-greengrassv2";
import * as iot from "@aws-sdk/client-iot";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { MqttClient } from "mqtt";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { reached } from "../support/bin.ts";
import { filled, normalized } from "./transcript.ts";
import { allow, connectedAs, dataPlaneRig, identityWith, type DataPlaneRig, type Identity } from "./wire.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "transcripts");

interface Deployment {
  readonly deploymentId: string;
  readonly deploymentName: string;
  readonly components: Readonly<
    Record<string, { version: string; configurationUpdate?: { merge?: object; reset?: string[] } }>
  >;
}

/** What the account of the recording had: a core, its group, a role alias, and each version that was deployed. */
async function account(rig: DataPlaneRig, transcript: string): Promise<Identity> {
  const things = await rig.access.iot();
  const identity = await identityWith(rig, "core-1", [allow(["iot:*", "greengrass:*"])]);
  await things.send(new iot.CreateThingCommand({ thingName: "core-1" }));
  await things.send(new iot.AttachThingPrincipalCommand({ thingName: "core-1", principal: identity.arn }));
  await things.send(new iot.CreateThingGroupCommand({ thingGroupName: "my-group" }));
  await things.send(new iot.AddThingToThingGroupCommand({ thingGroupName: "my-group", thingName: "core-1" }));
  const roleArn = "arn:aws:iam::000000000000:role/exchange";
  await things.send(new iot.CreateRoleAliasCommand({ roleAlias: "dospesos-token-exchange", roleArn }));
  const [greengrass, s3] = [await rig.access.greengrass(), await rig.access.s3()];
  const versions = new Set(
    Array.from(
      transcript.matchAll(/"com\.example\.Hello":\{"version":"([\d.]+)"/g),
      ([, version]) => version!,
    ),
  );
  for (const version of versions) {
    const Key = `components/com.example.Hello/${version}/hello.sh`;
    await s3.send(new PutObjectCommand({ Bucket: "sandbox-components", Key, Body: "echo hello\n" }));
    const recipe = {
      RecipeFormatVersion: "2020-01-25",
      ComponentName: "com.example.Hello",
      ComponentVersion: version,
      Manifests: [
        { Platform: { os: "linux", runtime: "*" }, Artifacts: [{ Uri: `s3://sandbox-components/${Key}` }] },
      ],
    };
    const inlineRecipe = Buffer.from(JSON.stringify(recipe));
    await greengrass.send(new gg.CreateComponentVersionCommand({ inlineRecipe }));
  }
  return identity;
}

/** As the API has it, where the job's document has an object. */
function updateOf({ merge, reset }: { merge?: object; reset?: string[] }): gg.ComponentConfigurationUpdate {
  return {
    ...(merge === undefined ? {} : { merge: JSON.stringify(merge) }),
    ...(reset === undefined ? {} : { reset }),
  };
}

/** Makes the deployment that an answer of the recording carries. */
async function deploy(rig: DataPlaneRig, { deploymentName, components }: Deployment): Promise<void> {
  const greengrass = await rig.access.greengrass();
  await greengrass.send(
    new gg.CreateDeploymentCommand({
      targetArn: "arn:aws:iot:eu-west-1:000000000000:thinggroup/my-group",
      deploymentName,
      components: Object.fromEntries(
        Object.entries(components).map(([name, { version, configurationUpdate: update }]) => [
          name,
          {
            componentVersion: version,
            ...(update === undefined ? {} : { configurationUpdate: updateOf(update) }),
          },
        ]),
      ),
      deploymentPolicies: {
        failureHandlingPolicy: "ROLLBACK",
        componentUpdatePolicy: { action: "NOTIFY_COMPONENTS", timeoutInSeconds: 60 },
      },
    }),
  );
}

async function https(rig: DataPlaneRig, { key, cert }: Identity, words: string): Promise<string> {
  const [, method, path, body] = /^(\S+) (\S+) ?(.*)$/.exec(words) ?? [];
  const { port } = rig.plane.record.discovery;
  return await new Promise((resolve, reject) => {
    const headers = { "x-amzn-iot-thingname": "core-1" };
    const sent = request(
      { host: "127.0.0.1", port, method, path, key, cert, ca: rig.ca, agent: false, headers },
      (response) => {
        let text = "";
        response
          .on("data", (piece: Buffer) => (text += piece.toString()))
          .on("end", () => resolve(`${response.statusCode} ${text}`));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** What a client got, by topic, and who waits for more. */
class Inbox {
  readonly #got: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(client: MqttClient, plain: (line: string) => string) {
    client.on("message", (topic: string, payload: Buffer) => {
      this.#got.push(plain(`${topic} ${payload.toString()}`));
      for (const wake of this.#waiting) {
        wake();
      }
    });
  }

  /** Resolves when that came; what came before it on the topic is no news any more. */
  async has(expected: string, said: string): Promise<void> {
    await reached(
      () => this.#got.includes(expected),
      (wake) => {
        this.#waiting.add(wake);
        return () => this.#waiting.delete(wake);
      },
      5000,
      () => `after ${said}\nthis did not come: ${expected}\nbut:\n${this.#got.slice(-4).join("\n")}`,
    );
    const [topic] = expected.split(" ");
    const until = this.#got.indexOf(expected);
    const rest = this.#got.filter((one, index) => index > until || !one.startsWith(`${topic} `));
    this.#got.splice(0, this.#got.length, ...rest);
  }
}

const NEXT = "$aws/things/core-1/jobs/notify-next-namespace-aws-gg-deployment";

/** The deployment in an answer or a notice; undefined where it carries none. */
function deploymentIn(line: string): Deployment | undefined {
  const document = /"jobDocument":(\{.*\})\}\}$/.exec(line)?.[1];
  return document === undefined ? undefined : (JSON.parse(document) as Deployment);
}

for (const [version, protocol] of [
  ["2.6.0", 5],
  ["2.5.0", 4],
] as const) {
  test(`what nucleus lite ${version} said is answered as it was`, async () => {
    const lines = readFileSync(join(folder, `lite-${version}.txt`), "utf8")
      .trim()
      .split("\n");
    const rig = await dataPlaneRig();
    try {
      const identity = await account(rig, lines.join("\n"));
      const client = await connectedAs(rig, identity, "core-1", protocol);
      const known = new Map<string, string>();
      const plain = normalized(known);
      const inbox = new Inbox(client, plain);
      await client.subscribeAsync(NEXT, { qos: 1 });
      const deployed = new Set<string>();
      const deployWhatIsNew = async (line: string): Promise<void> => {
        const found = deploymentIn(line);
        if (found !== undefined && !deployed.has(found.deploymentId)) {
          deployed.add(found.deploymentId);
          await deploy(rig, found);
        }
      };
      let [said, exchanges, http] = ["", 0, ""];
      for (const [index, line] of lines.entries()) {
        const words = line.slice("core-1 -> ".length);
        if (line.startsWith("core-1 -> ")) {
          [said, exchanges] = [words, exchanges + 1];
          if (/^(GET|POST|PUT) /.test(words)) {
            http = plain(await https(rig, identity, filled(words, known)));
            continue;
          }
          if (words.includes("/$next/")) {
            await deployWhatIsNew(lines[index + 1] ?? "");
          }
          const [topic, ...rest] = filled(words, known).split(" ");
          await client.publishAsync(topic!, rest.join(" "), { qos: 1 });
        } else if (/^\d/.test(words)) {
          assert.is(http, words, said);
        } else if (words.startsWith(`${NEXT} `)) {
          await deployWhatIsNew(words);
          await inbox.has(words, said);
        } else if (!words.includes("/jobs/notify-")) {
          await inbox.has(words, said);
        }
      }
      assert.ok(exchanges > 10, `${exchanges} exchanges`);
      assert.ok(deployed.size > 3, `${deployed.size} deployments`);
      const { coreDevices } = await (await rig.access.greengrass()).send(new gg.ListCoreDevicesCommand({}));
      const [core] = coreDevices ?? [];
      assert.equal([core?.coreDeviceThingName, core?.runtime], ["core-1", "aws_nucleus_lite"]);
      const denied = rig.told.filter((one) => /may not|nobody here answers/.test(one));
      assert.equal(denied, []);
      await client.endAsync(true);
    } finally {
      await rig.close();
    }
  });
}

test.run();
