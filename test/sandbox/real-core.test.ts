// AWS's own device software against the sandbox: nucleus lite in a Debian booted with systemd, installed by our
// setup.sh. It runs where DOSPESOS_LITE names a folder with AWS's Debian packages, aws-greengrass-lite-VERSION*.deb.
import { createHash, X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateDeploymentCommand,
  GetCoreDeviceCommand,
  ListEffectiveDeploymentsCommand,
} from "@aws-sdk/client-greengrassv2";
import * as iot from "@aws-sdk/client-iot";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { awsAccess, type AwsAccess } from "../../lib/aws/clients.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import {
  boot,
  containerHindrance,
  differing,
  LITE_PACKAGES,
  makeDebian,
  type Container,
} from "../device/container.ts";
import { Client } from "../device/sshd.ts";
import { BIN, dospesos, start, Started, type Ended } from "../support/bin.ts";
import { transcriptOf } from "./transcript.ts";
import { edit, shippedProject } from "../support/folder.ts";
import { testWhere } from "../support/tools.ts";

const folder = process.env["DOSPESOS_LITE"];
const packages = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".deb"));
let hindrance =
  folder === undefined
    ? "needs DOSPESOS_LITE, a folder with AWS's packages of nucleus lite"
    : containerHindrance();
const made = hindrance === undefined ? makeDebian(LITE_PACKAGES) : undefined;
if (made !== undefined && "hindrance" in made) {
  hindrance = made.hindrance;
}
const debian = made !== undefined && "folder" in made ? made.folder : "";

const test = suite("nucleus lite");
const client = new Client();
let device: Container;
let root: string;
let sandbox: Started;
let pristine: Map<string, string>;
let registry: string;

if (hindrance === undefined) {
  test.before(async () => {
    device = await boot(debian, client);
    client.alias("core-1", device.port, { User: "pi" });
    client.knows("core-1", device.hostKey);
    pristine = device.files();
    registry = device.registry();
  });
  test.after(async () => {
    sandbox?.kill("SIGTERM");
    await device.stop();
  });
}

/** A project whose only core is this device with that version of lite. */
async function project(version: string): Promise<void> {
  root = shippedProject();
  const deb = packages.find((name) => name.includes(version))!;
  const bytes = readFileSync(join(folder!, deb));
  mkdirSync(join(root, "debs"));
  copyFileSync(join(folder!, deb), join(root, "debs", deb));
  edit(root, "settings.ini", /\[thing thing-1\][^]*/, "");
  edit(
    root,
    "settings.ini",
    "group = my-group",
    "group = my-group\nhost = core-1\nruntime = lite\nsandbox = device",
  );
  edit(root, "settings.ini", "root    = /greengrass/v2\n", "");
  edit(
    root,
    "settings.ini",
    "[core core-1]",
    `[lite]\nversion = ${version}\npackage = debs/${deb}\nsha256 = ${createHash("sha256").update(bytes).digest("hex")}\n[core core-1]`,
  );
  succeeds(dospesos(root, "build"));
  sandbox = start(root, "sandbox", "--trace");
  await sandbox.tells(/the sandbox runs/, 0, 20_000);
  const [, hosts] = /etc\/hosts of your devices:\n {2}(.*)\n/.exec(sandbox.told) ?? [];
  assert.ok(hosts, sandbox.told);
  device.run(`sed -i '/amazonaws/d' /etc/hosts; echo '${hosts}' >> /etc/hosts`);
}

function succeeds({ exit, stdout, stderr }: Ended): string {
  assert.is(exit, 0, stdout + stderr);
  return stdout + stderr;
}

const HELLO = "edge/components/com.example.Hello";

function putHello(run: string): void {
  mkdirSync(join(root, HELLO, "artifacts"), { recursive: true });
  writeFileSync(
    join(root, HELLO, "recipe.yaml"),
    `RecipeFormatVersion: "2020-01-25"
ComponentName: com.example.Hello
ComponentVersion: "1.0"
ComponentConfiguration:
  DefaultConfiguration:
    Message: default
Manifests:
  - Platform: { os: linux, runtime: "*" }
    Lifecycle:
      run: ${run}
    Artifacts:
      - URI: artifacts/hello.sh
`,
  );
  writeFileSync(join(root, HELLO, "artifacts/hello.sh"), 'echo "$2 says $1"; exec sleep 3600\n');
}

/** What the deployment says of the component's configuration. */
function configure(update: object): void {
  const file = "templates/deployment/lite.json.njk";
  const text = readFileSync(join(root, file), "utf8");
  const entry = JSON.stringify({ "com.example.Hello": { configurationUpdate: update } });
  writeFileSync(join(root, file), text.replace(/"components": .*,\n/, `"components": ${entry},\n`));
}

/** The lines that the component wrote since then. */
const journal = (): string => device.run("journalctl --no-pager -o cat -t com.example.Hello -t sh").stdout;

async function deploy(exit = 0): Promise<string> {
  const begin = Date.now();
  const ended = await start(root, "deploy").end(120_000);
  assert.is(ended.exit, exit, `${ended.stderr}\n${sandbox.told}`);
  console.error(`deploy: ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  return ended.stderr;
}

async function checked(): Promise<string> {
  const { stdout } = await new Started(root, process.execPath, [BIN, "check"], {
    env: client.environment,
  }).end(60_000);
  return stdout;
}

const RUNNING = "systemctl is-active ggl.com.example.Hello.service";

for (const version of ["2.6.0", "2.5.0"]) {
  testWhere(
    test,
    hindrance ??
      (packages.some((name) => name.includes(version)) ? undefined : `needs a package of ${version}`),
    `${version}: from a bundle to a process, its changes, its end, and nothing left`,
    async () => {
      await project(version);
      try {
        await push();
        await sandbox.tells(/core-1 \(\S+\) is connected with MQTT/, 0, 60_000);
        putHello('sh {artifacts:path}/hello.sh "{configuration:/Message}" {iot:thingName}');
        assert.match(await deploy(), /deployed core-1 {2}deployment [0-9a-f-]{36}: SUCCEEDED/);
        assert.is(device.run(RUNNING).stdout.trim(), "active");
        assert.match(journal(), /core-1 says default/);

        const whole = await checked();
        assert.match(whole, /ok +service active +nucleus lite is active/);
        assert.match(whole, /ok +healthy and fresh .*nucleus 2\.\d/);
        assert.not.match(whole, /simulated/);

        configure({ merge: { Message: "merged" } });
        await deploy();
        configure({ reset: ["/Message"] });
        putHello('sh {artifacts:path}/hello.sh "again {configuration:/Message}" {iot:thingName}');
        await deploy();
        assert.match(journal(), /core-1 says again default/);

        putHello("exit 7");
        assert.match(await deploy(1), /failed +core-1/);
        console.error(await checked());

        rmSync(join(root, HELLO), { recursive: true });
        configure({});
        writeFileSync(
          join(root, "templates/deployment/lite.json.njk"),
          readFileSync(join(root, "templates/deployment/lite.json.njk"), "utf8").replace(
            /"components": .*,\n/,
            '"components": {},\n',
          ),
        );
        await deploy();
        assert.is.not(device.run(RUNNING).stdout.trim(), "active");

        record(version);
        await setCertificate("INACTIVE");
        await sandbox.tells(/core-1 \(\S+\) was refused: certificate \S+ is INACTIVE/, 0, 60_000);
        assert.match(
          await checked(),
          /BROKEN +MQTT connected[^]*certificate [0-9a-f]{8}… of core-1 is INACTIVE/,
        );

        uninstall();
        assert.equal(differing(pristine, device.files()).filter(isOurs), []);
        assert.is(device.registry(), registry);
        assert.not.match(sandbox.told, /may not|nobody here answers/);
        console.error(`${sandbox.told.match(/^core-1 -> /gm)?.length} operations of the core, 0 denied`);
      } finally {
        sandbox.kill("SIGTERM");
        await sandbox.end();
      }
    },
  );
}

testWhere(
  test,
  hindrance ?? (packages.some((name) => name.includes("2.6.0")) ? undefined : "needs a package of 2.6.0"),
  "2.6.0: a device with a claim certificate provisions itself, and gets its group's deployment",
  async () => {
    await project("2.6.0");
    const endpoint = /AWS's APIs +(\S+)/.exec(sandbox.told)![1]!;
    const access = awsAccess({ region: "eu-west-1", endpoint });
    try {
      const [hostOfData, hostOfCredentials] = /\n {2}127\.0\.0\.1 (\S+) (\S+)/.exec(sandbox.told)!.slice(1);
      const claim = await claimFor(access);
      const files = { "claim.pem": claim.cert, "claim.key": claim.key, "ca.pem": textOf("SandboxCA.pem") };
      device.run("mkdir -p /etc/claim");
      for (const [name, text] of Object.entries(files)) {
        device.write(`/etc/claim/${name}`, text, 0o644);
      }
      device.write(
        "/root/lite.deb",
        readFileSync(
          join(
            folder!,
            packages.find((name) => name.includes("2.6.0"))!,
          ),
        ),
      );
      const installed = device.run("apt-get install --yes --quiet=2 /root/lite.deb");
      assert.is(installed.status, 0, installed.stderr);
      device.write(
        "/etc/greengrass/config.d/greengrass-lite.yaml",
        claimConfig(hostOfData!, hostOfCredentials!),
      );
      // Stopping the target ends the socket that the program asks for its configuration.
      device.run("systemctl start ggl.gg_config.socket ggl.core.ggconfigd.service");
      const provisioned = device.run("/usr/bin/fleet-provisioning");
      assert.is(provisioned.status, 0, provisioned.stderr);
      await sandbox.tells(/gg_A1B2C3 was provisioned by the template fleet/, 0, 20_000);
      device.run("systemctl restart greengrass-lite.target");
      await sandbox.tells(/gg_A1B2C3 \(\S+\) is connected with MQTT 5/, 0, 60_000);
      const greengrass = await access.greengrass();
      const { deploymentId } = await greengrass.send(
        new CreateDeploymentCommand({
          targetArn: "arn:aws:iot:eu-west-1:000000000000:thinggroup/my-group",
          components: {},
        }),
      );
      for (;;) {
        const effective = await greengrass
          .send(new ListEffectiveDeploymentsCommand({ coreDeviceThingName: "gg_A1B2C3" }))
          .catch(() => undefined);
        const found = effective?.effectiveDeployments?.find((one) => one.deploymentId === deploymentId);
        if (found?.coreDeviceExecutionStatus === "SUCCEEDED") {
          break;
        }
        assert.is.not(found?.coreDeviceExecutionStatus, "FAILED");
        // The account tells nobody what changed: it is asked again.
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const { status, runtime } = await greengrass.send(
        new GetCoreDeviceCommand({ coreDeviceThingName: "gg_A1B2C3" }),
      );
      assert.equal([status, runtime], ["HEALTHY", "aws_nucleus_lite"]);
      assert.not.match(sandbox.told, /may not|nobody here answers/);
    } finally {
      console.error(sandbox.told);
      access.close();
      sandbox.kill("SIGTERM");
      await sandbox.end();
    }
  },
);

const textOf = (name: string): string => readFileSync(join(root, "edge/out/core-1", name), "utf8");

/** A claim certificate with AWS's policy for it, and a template that makes cores of the project's group. */
async function claimFor(access: AwsAccess): Promise<{ cert: string; key: string }> {
  const things = await access.iot();
  const policy = (Statement: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });
  const base = "arn:aws:iot:eu-west-1:000000000000:";
  const topics = ["$aws/certificates/create-from-csr/*", "$aws/provisioning-templates/fleet/provision/*"];
  const key = createKey();
  const { certificatePem = "", certificateArn = "" } = await things.send(
    new iot.CreateCertificateFromCsrCommand({
      certificateSigningRequest: await createCsr(key, "claim"),
      setAsActive: true,
    }),
  );
  const allowed: object[] = [
    { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
    {
      Effect: "Allow",
      Action: ["iot:Publish", "iot:Receive"],
      Resource: topics.map((topic) => `${base}topic/${topic}`),
    },
  ];
  const filters = topics.map((topic) => `${base}topicfilter/${topic}`);
  allowed.push({ Effect: "Allow", Action: "iot:Subscribe", Resource: filters });
  await things.send(new iot.CreatePolicyCommand({ policyName: "claim", policyDocument: policy(allowed) }));
  await things.send(new iot.AttachPolicyCommand({ policyName: "claim", target: certificateArn }));
  const rights = policy([{ Effect: "Allow", Action: ["iot:*", "greengrass:*"], Resource: "*" }]);
  await things.send(new iot.CreatePolicyCommand({ policyName: "fleet", policyDocument: rights }));
  const name = { "Fn::Join": ["", ["gg_", { Ref: "SerialNumber" }]] };
  const templateBody = JSON.stringify({
    Parameters: { SerialNumber: { Type: "String" }, "AWS::IoT::Certificate::Id": { Type: "String" } },
    Resources: {
      thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: name, ThingGroups: ["my-group"] } },
      certificate: { Type: "AWS::IoT::Certificate", Properties: { Status: "Active" } },
      policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "fleet" } },
    },
  });
  await things.send(
    new iot.CreateProvisioningTemplateCommand({
      templateName: "fleet",
      enabled: true,
      provisioningRoleArn: "arn:aws:iam::000000000000:role/fleet",
      templateBody,
    }),
  );
  return { cert: certificatePem, key };
}

/** As docs/fleet_provisioning of aws-greengrass-lite has it. */
function claimConfig(data: string, credentials: string): string {
  return `---
system:
  privateKeyPath: ""
  certificateFilePath: ""
  rootCaPath: ""
  rootPath: "/var/lib/greengrass"
  thingName: ""
services:
  aws.greengrass.NucleusLite:
    componentType: "NUCLEUS"
    configuration:
      awsRegion: "eu-west-1"
      iotCredEndpoint: ""
      iotDataEndpoint: ""
      iotRoleAlias: "dospesos-token-exchange"
      runWithDefault:
        posixUser: "gg_component:gg_component"
      greengrassDataPlanePort: "8443"
      platformOverride: {}
  aws.greengrass.fleet_provisioning:
    configuration:
      iotDataEndpoint: "${data}"
      iotCredEndpoint: "${credentials}"
      rootCaPath: "/etc/claim/ca.pem"
      claimKeyPath: "/etc/claim/claim.key"
      claimCertPath: "/etc/claim/claim.pem"
      csrCommonName: "aws-greengrass-nucleus-lite"
      templateName: "fleet"
      templateParams:
        SerialNumber: "A1B2C3"
`;
}

/** As somebody would do it in the console. */
async function setCertificate(newStatus: "ACTIVE" | "INACTIVE"): Promise<void> {
  const access = awsAccess({ region: "eu-west-1", endpoint: /AWS's APIs +(\S+)/.exec(sandbox.told)![1]! });
  const { raw } = new X509Certificate(textOf("device.pem.crt"));
  const certificateId = createHash("sha256").update(raw).digest("hex");
  await (await access.iot()).send(new iot.UpdateCertificateCommand({ certificateId, newStatus }));
  access.close();
}

/** Where a new transcript is wanted: what the core and the account said, for tests on every machine. */
function record(version: string): void {
  const to = process.env["DOSPESOS_RECORD"];
  if (to !== undefined) {
    writeFileSync(join(to, `lite-${version}.txt`), `${transcriptOf(sandbox.told).join("\n")}\n`);
  }
}

/** The names that the sandbox is found by are this test's, and apt keeps a copy of what it knew before. */
function isOurs(path: string): boolean {
  return !/^\/etc\/hosts$|^\/var\/lib\/(apt|dpkg\/status-old)/.test(path);
}

async function push(): Promise<void> {
  const ended = await new Started(root, process.execPath, [BIN, "push", "core-1", "--yes"], {
    env: client.environment,
  }).end(180_000);
  assert.is(ended.exit, 0, ended.stdout + ended.stderr);
}

function uninstall(): void {
  const { status, stdout, stderr } = device.run("sh /var/lib/dospesos/core-1/uninstall.sh --yes");
  assert.is(status, 0, stdout + stderr);
}

test.run();
