// The main job, as a new user meets it: a fresh clone, the shipped settings, the sandbox.
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "./support/account.ts";
import { parse } from "yaml";
import { events, freshClone, ran, type Clone } from "./support/clone.ts";

const SETTINGS = `[aws]
account = sandbox
region = eu-west-1
[instance]
name = dospesos
[greengrass]
version = 2.16.0
[core core-1]
group = my-group
[core core-10]
group = my-group
[core pump]
[thing sensor]
core = core-1
[thing valve]
core = pump
`;

const clone: Clone = freshClone();
const path = (name: string): string => join(clone.root, name);
const read = (name: string): string => readFileSync(path(name), "utf8");
const edit = (name: string, change: (text: string) => string): void =>
  writeFileSync(path(name), change(read(name)));

/** Every file below the clone but packages and git's own, with its content. */
function contents(): Record<string, string> {
  const names = readdirSync(clone.root, { recursive: true, encoding: "utf8" }).filter(
    (name) => !/^(node_modules|\.git)(\/|$)/.test(name),
  );
  return Object.fromEntries(
    names
      // Which run has the lock last is written there.
      .filter((name) => name !== ".dospesos/lock" && statSync(path(name)).isFile())
      .map((name) => [name, readFileSync(path(name), "latin1")]),
  );
}

/** Builds everything and gives what ran; the build after it must find nothing to do. */
function build(): string[] {
  const first = clone.dospesos("build", "--json");
  assert.is(first.exit, 0, first.stderr);
  assert.match(clone.dospesos("build").stderr, "nothing to do");
  return ran(first);
}

test("a fresh clone builds an edge installer with nothing but Node: no Terraform, no credentials, no AWS variables", () => {
  const { exit, stderr } = clone.dospesosWith(
    { PATH: join(clone.root, "nowhere"), HOME: clone.root },
    "build",
    "edge-installer",
  );
  assert.is(exit, 0, stderr);
  assert.match(stderr, "SANDBOX");
  const files = readdirSync(path("edge/out/core-1")).sort();
  assert.equal(files, [
    "AmazonRootCA1.pem",
    "MANIFEST",
    "README.txt",
    "SandboxCA.pem",
    "config.yaml",
    "device.pem.crt",
    "private.pem.key",
    "setup.sh",
    "uninstall.sh",
  ]);
});

test("the bundle's certificate belongs to its key and verifies against the sandbox's CA", () => {
  const certificate = new X509Certificate(read("edge/out/core-1/device.pem.crt"));
  const ca = new X509Certificate(read("edge/out/core-1/SandboxCA.pem"));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(read("edge/out/core-1/private.pem.key"))));
  assert.ok(certificate.verify(ca.publicKey));
  assert.ok(certificate.checkIssued(ca));
});

test("the private key is readable for its owner only, in the bundle and where it is kept", () => {
  for (const name of [
    "edge/keys/core-1/private.pem.key",
    "edge/out/core-1/private.pem.key",
    "edge/out/core-1.tar.gz",
  ]) {
    assert.is(statSync(path(name)).mode & 0o777, 0o600);
  }
  assert.is(statSync(path("edge/keys/core-1")).mode & 0o777, 0o700);
});

test("no private key is in the engine's state, in a marker, in Terraform's variables or on the screen", () => {
  const secret = read("edge/keys/core-1/private.pem.key").split("\n")[1]!;
  const everywhere = execFileSync(
    "grep",
    ["-rlF", "--exclude-dir=node_modules", "--exclude-dir=.git", secret, clone.root],
    { encoding: "utf8" },
  );
  const holders = everywhere
    .trim()
    .split("\n")
    .map((name) => name.slice(clone.root.length + 1))
    .sort();
  assert.equal(holders, [
    "edge/keys/core-1/private.pem.key",
    "edge/out/core-1.tar.gz",
    "edge/out/core-1/private.pem.key",
  ]);
});

test("config.yaml says the same to a YAML 1.1 and a YAML 1.2 parser, and has every key that the nucleus knows", () => {
  const text = read("edge/out/core-1/config.yaml");
  const config = parse(text, { version: "1.2" }) as {
    system: object;
    services: Record<string, { configuration: object }>;
  };
  assert.equal(parse(text, { version: "1.1" }), config);
  assert.equal(Object.keys(config.system).sort(), [
    "certificateFilePath",
    "ipcSocketPath",
    "privateKeyPath",
    "rootCaPath",
    "rootpath",
    "thingName",
  ]);
  assert.equal(Object.keys(config.services["aws.greengrass.Nucleus"]!).sort(), [
    "componentType",
    "configuration",
    "version",
  ]);
  assert.equal(Object.keys(config.services["aws.greengrass.Nucleus"]!.configuration).sort(), [
    "awsRegion",
    "componentStoreMaxSizeBytes",
    "deploymentPollingFrequencySeconds",
    "fipsMode",
    "greengrassDataPlaneEndpoint",
    "greengrassDataPlanePort",
    "iotCredEndpoint",
    "iotDataEndpoint",
    "iotRoleAlias",
    "jvmOptions",
    "logging",
    "mqtt",
    "networkProxy",
    "runWithDefault",
  ]);
});

test("MANIFEST has the right digest of every other file of the bundle, and the archive holds the bundle", () => {
  const lines = read("edge/out/core-1/MANIFEST")
    .trim()
    .split("\n")
    .map((line) => line.split("  ") as [string, string]);
  assert.equal(
    lines.map(([, name]) => name),
    readdirSync(path("edge/out/core-1"))
      .filter((name) => name !== "MANIFEST")
      .sort(),
  );
  for (const [digest, name] of lines) {
    assert.is(
      createHash("sha256")
        .update(readFileSync(path(`edge/out/core-1/${name}`)))
        .digest("hex"),
      digest,
    );
  }
  const listed = execFileSync("tar", ["-tzf", path("edge/out/core-1.tar.gz")], { encoding: "utf8" })
    .trim()
    .split("\n");
  assert.is(listed.length, lines.length + 2);
});

test("the second build has nothing to do, and says so", () => {
  const { exit, stderr } = clone.dospesos("build", "edge-installer");
  assert.is(exit, 0);
  assert.match(stderr, "nothing to do for edge-installer");
  assert.equal(ran(clone.dospesos("build", "edge-installer", "--json")), []);
});

test("a generated file never makes the checkout dirty", () => {
  assert.is(clone.git("status", "--porcelain"), "");
});

test("garbage in AWS's variables does not matter in the sandbox", () => {
  const garbage = {
    ...process.env,
    AWS_PROFILE: "nobody",
    AWS_REGION: "mars-1",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_CONFIG_FILE: path("nowhere"),
  };
  clone.dospesos("clean");
  const { exit, stderr } = clone.dospesosWith(garbage, "build");
  assert.is(exit, 0, stderr);
});

test("after clean and build the certificate is the same: what exists in the account is found again", () => {
  const before = read("edge/out/core-1/device.pem.crt");
  clone.dospesos("clean");
  assert.not(existsSync(path("edge/out")));
  build();
  assert.is(read("edge/out/core-1/device.pem.crt"), before);
});

test("several cores and things come out of one file", () => {
  writeFileSync(path("settings.ini"), SETTINGS);
  build();
  for (const core of ["core-1", "core-10", "pump"]) {
    assert.ok(existsSync(path(`edge/out/${core}.tar.gz`)));
  }
  for (const thing of ["sensor", "valve"]) {
    assert.ok(existsSync(path(`edge/out/things/${thing}.tar.gz`)));
  }
  assert.not(existsSync(path("edge/out/things/thing-1")));
});

test("a key of one core changes only targets of that core, and the deployment of a group that it leaves or joins", () => {
  edit("settings.ini", (text) =>
    text.replace("[core core-1]\ngroup = my-group", "[core core-1]\ngroup = other"),
  );
  const targets = build();
  assert.ok(targets.length > 0);
  for (const target of targets) {
    assert.match(target, /(^|\/)core-1[./]|^edge\/out\/deployments\/|effects\/deployment\//);
  }
});

test("a core more, or another kind of key, changes no target of another core and of no thing but its own", () => {
  const others = (targets: readonly string[]): string[] =>
    targets.filter(
      (target) => !/core-7|pump|valve|^edge\/out\/deployments\/|effects\/deployment\//.test(target),
    );
  edit("settings.ini", (text) =>
    text.replace("[thing sensor]", "[core core-7]\ngroup = my-group\n[thing sensor]"),
  );
  const more = build();
  assert.ok(more.includes("edge/out/core-7.tar.gz"));
  assert.equal(others(more), []);
  edit("settings.ini", (text) =>
    text.replace("[core core-7]\ngroup = my-group\n", "").replace("[core pump]", "[core pump]\nkey = device"),
  );
  const other = clone.dospesos("build", "--keep-going", "--json");
  assert.is(other.exit, 4, "the request for its certificate is not here yet");
  assert.equal(others(ran(other)), []);
  edit("settings.ini", (text) => text.replace("[core pump]\nkey = device", "[core pump]"));
  assert.equal(others(build()), []);
});

test("why and --dry-run tell beforehand what a build then does", () => {
  edit("settings.ini", (text) => text.replace("group = other", "group = third"));
  assert.match(
    clone.dospesos("why", "edge/out/core-1.tar.gz").stdout,
    '[core core-1] group: "other" → "third"',
  );
  const planned = events(clone.dospesos("build", "--dry-run", "--json"))
    .filter((event) => event["status"] === "stale")
    .map((event) => event["target"]);
  const targets = build();
  for (const target of planned) {
    assert.ok(targets.includes(String(target)));
  }
});

test("a comment changes nothing", () => {
  edit("settings.ini", (text) => `; a remark\n${text}`);
  assert.equal(build(), []);
});

test("a template that all cores use makes their bundles again; what comes out as it was keeps its time", () => {
  const time = (name: string): number => statSync(path(`edge/out/pump/${name}`)).mtimeMs;
  const before = ["config.yaml", "README.txt"].map(time);
  edit("templates/core/README.txt.njk", (text) => `${text}One more line.\n`);
  const expected = ["core-1", "core-10", "pump"].map((core) => `edge/out/${core}.tar.gz`);
  assert.equal(build(), expected.sort());
  assert.match(read("edge/out/pump/README.txt"), "One more line.");
  assert.is(time("config.yaml"), before[0]);
  assert.is.not(time("README.txt"), before[1]);
});

test("an edit of rules/core.ts makes exactly the steps that it builds again, and applies nothing", () => {
  const account = read("terraform/state/sandbox/account.json");
  edit("rules/core.ts", (text) => `${text}\n// a remark\n`);
  const targets = build();
  const cores = ["core-1", "core-10", "pump"];
  for (const target of targets) {
    assert.ok(
      cores.some((core) => target.includes(`/${core}/`) || target.includes(`/${core}.`)),
      target,
    );
  }
  for (const core of cores) {
    for (const file of [`terraform/core/${core}.tfvars.json`, `edge/out/${core}.tar.gz`]) {
      assert.ok(targets.includes(file), file);
    }
  }
  assert.not(targets.some((target) => target.startsWith("terraform/state/")));
  assert.is(read("terraform/state/sandbox/account.json"), account);
});

test("a renamed core: the old bundle goes, the new one comes, its key stays", () => {
  edit("settings.ini", (text) => text.replace("[core core-10]", "[core cellar]"));
  build();
  assert.not(existsSync(path("edge/out/core-10")));
  assert.not(existsSync(path("edge/out/core-10.tar.gz")));
  assert.ok(existsSync(path("edge/out/cellar.tar.gz")));
  assert.ok(existsSync(path("edge/keys/core-10/private.pem.key")));
});

test("an output edited by hand is noticed, said and made again", () => {
  const before = read("edge/out/pump/config.yaml");
  edit("edge/out/pump/config.yaml", (text) => text.replace("TEXT", "JSON"));
  assert.match(clone.dospesos("build").stderr, "edge/out/pump/config.yaml was edited by hand");
  assert.is(read("edge/out/pump/config.yaml"), before);
});

test("a key of one's own is taken, and asks for a certificate of its own", () => {
  const before = read("edge/out/pump/device.pem.crt");
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  }) as string;
  writeFileSync(path("edge/keys/pump/private.pem.key"), own);
  const { exit, stderr } = clone.dospesos("build");
  assert.is(exit, 0, stderr);
  assert.match(stderr, "pump has another key than before, so it gets a new certificate");
  assert.is(read("edge/out/pump/private.pem.key"), own);
  assert.is.not(read("edge/out/pump/device.pem.crt"), before);
  assert.ok(new X509Certificate(read("edge/out/pump/device.pem.crt")).checkPrivateKey(createPrivateKey(own)));
});

test("a key that cannot be used is named, with what it is, and stays", () => {
  const good = read("edge/keys/pump/private.pem.key");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  }) as string;
  for (const [bad, told] of [
    [rsa, "this is a key of the type rsa"],
    ["garbage", "this is no private key"],
  ] as const) {
    writeFileSync(path("edge/keys/pump/private.pem.key"), bad);
    const { exit, stderr } = clone.dospesos("build");
    assert.is(exit, 2, stderr);
    assert.match(stderr, `edge/keys/pump/private.pem.key: error DP604: ${told}`);
    assert.is(read("edge/keys/pump/private.pem.key"), bad);
  }
  writeFileSync(path("edge/keys/pump/private.pem.key"), good);
  build();
});

test("a thing that moves to another core leaves the old one, also after clean", () => {
  clone.dospesos("clean");
  edit("settings.ini", (text) => text.replace("[thing valve]\ncore = pump", "[thing valve]\ncore = core-1"));
  build();
  assert.match(read("edge/out/things/valve/connection.json"), '"core": "core-1"');
  const { associations } = regionIn(path("terraform/state/sandbox/account.json"));
  assert.equal(
    associations.filter((pair) => pair.endsWith("/valve")),
    ["core-1/valve"],
  );
});

test("an edit of a Terraform module makes its variables stale", () => {
  edit("terraform/core/main.tf", (text) => `${text}\n# a remark\n`);
  const targets = build();
  assert.ok(targets.includes("terraform/core/pump.tfvars.json"));
  assert.not(targets.includes("terraform/thing/valve.tfvars.json"));
});

test("a file that somebody wrote is not replaced by a target of the same name", () => {
  clone.dospesos("clean", "edge/out/pump/README.txt");
  mkdirSync(path("edge/out/pump"), { recursive: true });
  writeFileSync(path("edge/out/pump/README.txt"), "my notes\n");
  edit(".gitignore", (text) => text.replace("edge/out/", "edge/out/*.tar.gz"));
  const { exit, stderr } = clone.dospesos("build");
  assert.is(exit, 1);
  assert.match(stderr, "edge/out/pump/README.txt: error DP236");
  assert.is(read("edge/out/pump/README.txt"), "my notes\n");
  assert.is(clone.dospesos("build", "--force").exit, 0);
  clone.git("checkout", ".gitignore");
  assert.equal(build(), []);
});

test("a nucleus whose digest is not known is a wrong setting, told before anything is made", () => {
  edit("settings.ini", (text) => text.replace("version = 2.16.0", "version = 2.17.0"));
  const before = contents();
  const { exit, stderr } = clone.dospesos("build");
  assert.is(exit, 2);
  assert.match(stderr, /settings\.ini:\d+:\d+: error DP601/);
  assert.equal(contents(), before);
  edit("settings.ini", (text) => text.replace("version = 2.17.0", "version = 2.16.0"));
});

test("a wrong setting is reported with its place and a fix, and leaves every file as it was", () => {
  edit("settings.ini", (text) => text.replace("region = eu-west-1", "regoin = eu-west-1"));
  const before = contents();
  const { exit, stderr } = clone.dospesos("build");
  assert.is(exit, 2);
  assert.match(stderr, /settings\.ini:\d+:\d+: error DP\d+: .*regoin.*/);
  assert.match(stderr, "fix:");
  assert.equal(contents(), before);
  edit("settings.ini", (text) => text.replace("regoin", "region"));
  assert.equal(build(), []);
});

test("a real account without credentials: exit 4, and the sandbox is not touched in its place", () => {
  edit("settings.ini", (text) => text.replace("account = sandbox", "account = 123456789012"));
  const account = read("terraform/state/sandbox/account.json");
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  const nobody = {
    ...Object.fromEntries(own),
    NO_COLOR: "1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  const { exit, stderr } = clone.dospesosWith(nobody, "build", "edge-installer");
  assert.is(exit, 4, stderr);
  assert.match(stderr, "make the thing group");
  assert.match(stderr, /error DP(402|611)/);
  assert.not.match(stderr, "SANDBOX");
  assert.is(read("terraform/state/sandbox/account.json"), account);
  assert.match(read("terraform/instance/dospesos.tfvars.json"), "123456789012");
});

test("clean leaves keys, Terraform state and nothing else that was built", () => {
  const kept = readdirSync(path("terraform/state"), { recursive: true, encoding: "utf8" });
  assert.ok(kept.includes("effects/core/core-10.json"), "the marker of a core that was renamed away");
  clone.dospesos("clean");
  assert.equal(readdirSync(path("terraform/state"), { recursive: true, encoding: "utf8" }), kept);
  const left = clone
    .git("status", "--porcelain", "--ignored")
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("!!"))
    .map((line) => line.slice(3))
    .sort();
  assert.equal(left, ["edge/keys/", "node_modules/", "terraform/state/"]);
});

test.run();
