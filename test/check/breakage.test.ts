// What `dospesos check` says when something is broken: the sandbox and its core run as real processes, and
// each test breaks one thing, asks, and puts it back.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as gg from "@aws-sdk/client-greengrassv2";
import {
  CreatePolicyVersionCommand,
  DeletePolicyVersionCommand,
  GetPolicyCommand,
  SetDefaultPolicyVersionCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { connectAsync, type IClientOptions } from "mqtt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Started } from "../support/bin.ts";
import { runningDevices, type Devices } from "../support/devices.ts";
import { becomes } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";

const test = suite("check");
const CORE_POLICY = "dospesos-core";
const DEVICE_POLICY = "dospesos-core-core-1";
const THING_POLICY = "dospesos-thing-thing-1";
const BUNDLE = "edge/out/core-1";
const GROUP = "arn:aws:iot:eu-west-1:000000000000:thinggroup/my-group";

let devices: Devices;
test.before(async () => {
  devices = await runningDevices();
});
test.after(() => devices.stop());

interface Chain {
  readonly name: string;
  readonly broken: string | null;
  readonly links: readonly { readonly link: string; readonly cause?: string; readonly fix?: string }[];
}

/** Runs `check --json` and gives the first broken link of the chain, with its cause. */
function check(environment: NodeJS.ProcessEnv = {}): {
  broken: string | null;
  cause: string;
  exit: number | null;
} {
  const { exit, stdout, stderr } = devices.clone.dospesosWith(
    { ...process.env, NO_COLOR: "1", ...environment },
    "check",
    "--json",
  );
  const chains = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Chain & { readonly type: string })
    .filter(({ type }) => type === "check");
  assert.ok(chains.length > 0, stderr);
  const chain = chains.find(({ broken }) => broken !== null);
  const link = chain?.links.find((one) => one.link === chain.broken);
  if (link !== undefined) {
    assert.ok(link.cause !== undefined && link.fix !== undefined, "a broken link has a cause and a fix");
  }
  return { broken: chain?.broken ?? null, cause: link?.cause ?? "", exit };
}

function isBroken(link: string, cause: RegExp, environment?: NodeJS.ProcessEnv): void {
  const seen = check(environment);
  assert.is(seen.broken, link, seen.cause);
  assert.match(seen.cause, cause);
  assert.is(seen.exit, 1);
}

function isWhole(): void {
  const seen = check();
  assert.is(seen.broken, null, seen.cause);
  assert.is(seen.exit, 0);
}

/** Restarts the simulated core, as a new bundle does; resolves when the sandbox tells `what`. */
async function restartCore(what: RegExp): Promise<void> {
  const from = devices.sandbox.told.length;
  const now = new Date();
  utimesSync(devices.path(`${BUNDLE}/MANIFEST`), now, now);
  await devices.tells(what, from);
}

function certificateId(folder: string): string {
  return createHash("sha256")
    .update(new X509Certificate(readFileSync(devices.path(`${folder}/device.pem.crt`))).raw)
    .digest("hex");
}

async function setCertificate(folder: string, newStatus: "ACTIVE" | "INACTIVE"): Promise<void> {
  await (
    await devices.access.iot()
  ).send(new UpdateCertificateCommand({ certificateId: certificateId(folder), newStatus }));
}

/** Runs the body while the policy lacks an action, as if somebody had edited it in the console. */
async function withoutAction(policyName: string, action: string, body: () => Promise<void>): Promise<void> {
  const iot = await devices.access.iot();
  const { policyDocument = "", defaultVersionId } = await iot.send(new GetPolicyCommand({ policyName }));
  const without = policyDocument.replaceAll(`"${action}"`, '"iot:Nothing"');
  assert.is.not(without, policyDocument);
  const { policyVersionId } = await iot.send(
    new CreatePolicyVersionCommand({ policyName, policyDocument: without, setAsDefault: true }),
  );
  try {
    await body();
  } finally {
    await iot.send(new SetDefaultPolicyVersionCommand({ policyName, policyVersionId: defaultVersionId }));
    await iot.send(new DeletePolicyVersionCommand({ policyName, policyVersionId }));
  }
}

/** An ssh on PATH that runs its command here, where systemctl and date say these. */
function sshWhere(systemctl: string, date: string): NodeJS.ProcessEnv {
  const folder = tempFolder("ssh");
  const said = {
    ssh: `PATH="${folder}:$PATH" exec sh -s`,
    systemctl: `echo ${systemctl}`,
    date: `echo ${date}`,
  };
  for (const [name, command] of Object.entries(said)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  }
  return { PATH: `${folder}:${process.env["PATH"]}` };
}

async function withHost(body: () => Promise<void> | void): Promise<void> {
  const settings = readFileSync(devices.path("settings.ini"), "utf8");
  writeFileSync(
    devices.path("settings.ini"),
    settings.replace("[core core-1]\n", "[core core-1]\nhost = core-1.invalid\n"),
  );
  try {
    await body();
  } finally {
    writeFileSync(devices.path("settings.ini"), settings);
  }
}

const now = (): string => String(Math.round(Date.now() / 1000));

test("a chain that is whole ends with a message received, and says what it did not check", () => {
  isWhole();
  const { stdout, stderr } = devices.clone.dospesos("check", "thing-1");
  assert.match(stdout, /not checked {2}service active +no host is set/);
  assert.match(stdout, /ok +message received +[\d.]+ ms through 127\.0\.0\.1:\d+/);
  assert.match(stderr, /SANDBOX/);
});

test("1 no service", () =>
  withHost(() => {
    isBroken("service active", /not run on this device|removed/, sshWhere("unknown", now()));
    isBroken("service active", /the service is failed/, sshWhere("failed", now()));
    assert.is(check(sshWhere("active", now())).broken, null);
  }));

test("2 a device's clock that is off", () =>
  withHost(() =>
    devices.withoutCore(() =>
      isBroken("MQTT connected", /clock is \d+ s behind/, sshWhere("active", "1000")),
    ),
  ));

test("3 a bundle with a wrong endpoint", async () => {
  const file = devices.path(`${BUNDLE}/config.yaml`);
  const config = readFileSync(file, "utf8");
  writeFileSync(
    file,
    config.replace(/iotDataEndpoint: "[a-z0-9]+-ats/, 'iotDataEndpoint: "aaaaaaaaaaaaaa-ats'),
  );
  await restartCore(/cannot connect to aaaaaaaaaaaaaa-ats.*ERR_TLS_CERT_ALTNAME_INVALID/);
  isBroken("MQTT connected", /the bundle names the endpoint aaaaaaaaaaaaaa-ats/);
  writeFileSync(file, config);
  await restartCore(/core-1 is connected/);
});

test("4 an inactive certificate", async () => {
  const from = devices.sandbox.told.length;
  await setCertificate(BUNDLE, "INACTIVE");
  await devices.tells(/core-1 \(\S+\) was refused: certificate .* is INACTIVE/, from);
  isBroken("MQTT connected", /certificate [0-9a-f]{8}… of core-1 is INACTIVE/);
  const again = devices.sandbox.told.length;
  await setCertificate(BUNDLE, "ACTIVE");
  await devices.tells(/core-1 is connected/, again);
});

test("5 a policy that lacks the right to connect", async () => {
  await withoutAction(DEVICE_POLICY, "iot:Connect", async () => {
    await restartCore(/core-1 \(\S+\) was refused: iot:Connect/);
    isBroken("MQTT connected", /lack a right: iot:Connect on .*client\/core-1/);
  });
  await restartCore(/core-1 is connected/);
});

test("6 a policy that lets the core connect, but not report", async () => {
  await withoutAction(DEVICE_POLICY, "iot:Publish", async () => {
    await (
      await devices.access.greengrass()
    ).send(new gg.DeleteCoreDeviceCommand({ coreDeviceThingName: "core-1" }));
    await restartCore(/core-1 \(\S+\) may not: iot:Publish on/);
    isBroken("MQTT connected", /lack a right: iot:Publish on .*health\/json/);
  });
  await restartCore(/core-1 has deployment/);
});

test("7 a health that is stale", () =>
  devices.withoutCore(async () => {
    const read = (name: string): string => readFileSync(devices.path(`${BUNDLE}/${name}`), "utf8");
    const [, servername] = /iotDataEndpoint: "([^"]+)"/.exec(read("config.yaml")) ?? [];
    const client = await connectAsync({
      protocol: "mqtts",
      host: "127.0.0.1",
      port: devices.ports.iot,
      clientId: "core-1",
      protocolVersion: 4,
      cert: read("device.pem.crt"),
      key: read("private.pem.key"),
      ca: read("SandboxCA.pem"),
      servername,
    } as IClientOptions);
    await client.publishAsync(
      "$aws/things/core-1/greengrassv2/health/json",
      JSON.stringify({
        ggcVersion: "2.16.0",
        platform: "linux",
        architecture: "amd64",
        thing: "core-1",
        sequenceNumber: 1_000_000,
        timestamp: Date.now() - 30 * 3_600_000,
        overallDeviceStatus: "HEALTHY",
        components: [],
      }),
      { qos: 1 },
    );
    isBroken("healthy and fresh", /reports once a day/);
    await client.endAsync();
  }));

test("8 a component that does not work", async () => {
  await withoutAction(CORE_POLICY, "greengrass:PutCertificateAuthorities", async () => {
    await restartCore(/clientdevices\.Auth: greengrass:PutCertificateAuthorities/);
    isBroken("healthy and fresh", /aws\.greengrass\.clientdevices\.Auth .* is ERRORED/);
  });
  await restartCore(/core-1 is connected/);
});

test("9 a deployment that failed", () => {
  const settings = readFileSync(devices.path("settings.ini"), "utf8");
  writeFileSync(devices.path("settings.ini"), `${settings}\n[components]\nmqtt_broker = 9.9.9\n`);
  try {
    const failed = devices.clone.dospesos("deploy");
    assert.is(failed.exit, 1, failed.stderr);
    assert.match(
      failed.stderr,
      /failed +core-1 +deployment .*FAILED: no component version aws\.greengrass\.clientdevices\.mqtt\.Moquette 9\.9\.9/,
    );
    isBroken(
      "deployment succeeded",
      /no component version .*Moquette 9\.9\.9.*NO_AVAILABLE_COMPONENT_VERSION/,
    );
  } finally {
    writeFileSync(devices.path("settings.ini"), settings);
  }
  // Back to the older content is a deployment of its own, and is waited for.
  const mended = devices.clone.dospesos("deploy");
  assert.is(mended.exit, 0, mended.stderr);
  isWhole();
});

test("10 nothing deployed", () => {
  const marker = devices.path("terraform/state/effects/deployment/my-group.json");
  const text = readFileSync(marker, "utf8");
  rmSync(marker);
  isBroken("deployment succeeded", /dospesos deploy did not run/);
  writeFileSync(marker, text);
});

test("11 a thing that is not associated", async () => {
  const greengrass = await devices.access.greengrass();
  const batch = { coreDeviceThingName: "core-1", entries: [{ thingName: "thing-1" }] };
  await greengrass.send(new gg.BatchDisassociateClientDeviceFromCoreDeviceCommand(batch));
  isBroken("thing discovers its core", /thing-1 is not associated with core-1/);
  await greengrass.send(new gg.BatchAssociateClientDeviceWithCoreDeviceCommand(batch));
});

test("12 a thing that may not discover", () =>
  withoutAction(THING_POLICY, "greengrass:Discover", async () =>
    isBroken("thing discovers its core", /lack a right: greengrass:Discover on .*thing\/thing-1/),
  ));

test("13 a thing's certificate that is inactive", async () => {
  await setCertificate("edge/out/things/thing-1", "INACTIVE");
  isBroken("thing discovers its core", /of thing-1 is INACTIVE/);
  await setCertificate("edge/out/things/thing-1", "ACTIVE");
});

test("14 a core that tells only its docker0 address, and one that tells none", async () => {
  const greengrass = await devices.access.greengrass();
  const { connectivityInfo } = await greengrass.send(
    new gg.GetConnectivityInfoCommand({ thingName: "core-1" }),
  );
  const tell = (list: gg.ConnectivityInfo[]) =>
    greengrass.send(new gg.UpdateConnectivityInfoCommand({ thingName: "core-1", connectivityInfo: list }));
  // Port 1 of this machine stands for docker's bridge, so that nothing leaves it.
  await tell([{ id: "docker0", hostAddress: "127.0.0.1", portNumber: 1, metadata: "docker0" }]);
  isBroken("thing discovers its core", /only addresses of its own machine \(docker0 or loopback\)/);
  await tell([]);
  isBroken("thing discovers its core", /core-1 has reported no address/);
  // All addresses are tried: a dead one before the good one does no harm.
  await tell([
    { id: "dead", hostAddress: "127.0.0.1", portNumber: 1, metadata: "" },
    ...(connectivityInfo ?? []),
  ]);
  isWhole();
  await tell(connectivityInfo ?? []);
});

test("15 device groups without the thing", async () => {
  const greengrass = await devices.access.greengrass();
  const deployed = JSON.parse(readFileSync(devices.path("edge/out/deployments/my-group.json"), "utf8")) as {
    components: Record<string, { componentVersion: string; configurationUpdate?: { merge: unknown } }>;
  };
  const auth = { deviceGroups: { formatVersion: "2021-03-05", definitions: {}, policies: {} } };
  const components = Object.fromEntries(
    Object.entries(deployed.components).map(([name, { componentVersion, configurationUpdate }]) => [
      name,
      {
        componentVersion,
        configurationUpdate: {
          reset: name.endsWith(".Auth") ? ["/deviceGroups"] : [],
          merge: JSON.stringify(name.endsWith(".Auth") ? auth : (configurationUpdate?.merge ?? {})),
        },
      },
    ]),
  );
  const from = devices.sandbox.told.length;
  await greengrass.send(new gg.CreateDeploymentCommand({ targetArn: GROUP, components }));
  await devices.tells(/core-1 has deployment/, from);
  isBroken("message received", /does not let it connect/);
});

test("Ctrl-C ends a check whose kit hangs, and blames nobody", async () => {
  const kit = devices.path("edge/out/things/thing-1/talk.mjs");
  const talk = readFileSync(kit, "utf8");
  writeFileSync(
    kit,
    'import { writeFileSync } from "node:fs";\nwriteFileSync(new URL("asked", import.meta.url), "yes");\nsetInterval(() => {}, 1000);\n',
  );
  try {
    const run = new Started(devices.clone.root, process.execPath, [devices.path("lib/cli/bin.cjs"), "check"]);
    await becomes(devices.path("edge/out/things/thing-1"), "asked", (text) => text === "yes", 30_000);
    run.child.kill("SIGINT");
    const { exit, stdout, stderr } = await run.end(10_000);
    assert.is(exit, 130, stderr);
    assert.not.match(stdout + stderr, /did not run to its end|broken/);
  } finally {
    writeFileSync(kit, talk);
    rmSync(devices.path("edge/out/things/thing-1/asked"), { force: true });
  }
});

test.run();
