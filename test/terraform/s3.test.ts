// The state in S3, shared by two clones: moto plays S3, the sandbox behind a proxy the account.
import { cpSync, existsSync, readFileSync } from "node:fs";
import {
  S3Client,
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  DeleteObjectCommand,
} from "@aws-sdk/client-s3";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Started, type Ended } from "../support/bin.ts";
import { ran } from "../support/clone.ts";
import { startMoto, type Moto } from "../support/moto.ts";
import { testWithProvider } from "../support/terraform.ts";
import { inRealAccount, ACCOUNT, standIn, type StandIn } from "./real-account.ts";
import { CANARY, filesBelow, terraformClone, type TerraformClone } from "./rig.ts";

/** What is shared, and one module above it. */
const CORE = "terraform/state/effects/core/core-1.json";
const INSTANCE = "terraform/state/effects/instance/dospesos.json";
const BUCKET = "acme-states";
const KEY = `team/${ACCOUNT}/eu-west-1`;

let moto: Moto;
let s3: S3Client;
let aws: StandIn;
let first: TerraformClone;
let second: TerraformClone;

function testWithS3(name: string, body: (mirror: string) => Promise<void>): void {
  testWithProvider(test, name, body, ["moto_server", "script"]);
}

const command = (clone: TerraformClone): string => clone.path("lib/cli/bin.cjs");
const environmentOf = (clone: TerraformClone): NodeJS.ProcessEnv => ({
  ...clone.environment,
  ...aws.environment,
  AWS_SECRET_ACCESS_KEY: CANARY,
});
const run = (clone: TerraformClone, ...words: string[]): Promise<Ended> =>
  new Started(clone.root, process.execPath, [command(clone), ...words], { env: environmentOf(clone) }).end(
    240_000,
  );

/** The settings of a member of the team, who has the devices' keys from a colleague. */
function member(mirror: string, keysOf?: TerraformClone): TerraformClone {
  const clone = terraformClone(mirror, "");
  clone.edit("settings.ini", inRealAccount);
  if (keysOf !== undefined) {
    cpSync(keysOf.path("edge/keys"), clone.path("edge/keys"), { recursive: true });
  }
  return clone;
}

function useS3(clone: TerraformClone): void {
  clone.edit(
    "settings.ini",
    (text) =>
      `${text}\n[terraform]\nbackend = s3\nbucket = ${BUCKET}\nprefix = team\nendpoint = ${moto.endpoint}\n`,
  );
}

async function object(key: string): Promise<string> {
  return (
    (await (await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))).Body?.transformToString()) ??
    ""
  );
}

testWithS3(
  "the bucket is made by an effect, versioned, encrypted and private; a local state is not left behind in silence",
  async (mirror) => {
    moto = await startMoto();
    s3 = new S3Client({
      endpoint: moto.endpoint,
      region: "eu-west-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    aws = await standIn();
    first = member(mirror);
    const local = await run(first, "build", "--yes", CORE);
    assert.is(local.exit, 0, local.stderr);
    useS3(first);
    const stopped = await run(first, "build", "--yes", CORE);
    assert.is(stopped.exit, 4, stopped.stderr);
    assert.match(
      stopped.stderr,
      "error DP414: instance dospesos: its state is here, but the settings say that it lies in S3",
    );
    assert.match(stopped.stderr, "dospesos move-state");
    assert.is((await s3.send(new GetBucketVersioningCommand({ Bucket: BUCKET }))).Status, "Enabled");
    assert.is(
      (await s3.send(new GetBucketEncryptionCommand({ Bucket: BUCKET }))).ServerSideEncryptionConfiguration
        ?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
      "AES256",
    );
    const { PublicAccessBlockConfiguration } = await s3.send(
      new GetPublicAccessBlockCommand({ Bucket: BUCKET }),
    );
    assert.equal(PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
  },
);

testWithS3("move-state moves the local states on request; then the build goes on where it was", async () => {
  const states = ["instance/dospesos", "core/core-1"].map((name) =>
    first.read(`terraform/state/${ACCOUNT}/eu-west-1/${name}.tfstate`),
  );
  const moved = await run(first, "move-state");
  assert.is(moved.exit, 0, moved.stderr);
  assert.match(moved.stderr, "2 states moved");
  const lineage = (text: string): string => (JSON.parse(text) as { lineage: string }).lineage;
  assert.equal(lineage(await object(`${KEY}/instance/dospesos.tfstate`)), lineage(states[0]!));
  assert.equal(lineage(await object(`${KEY}/core/core-1.tfstate`)), lineage(states[1]!));
  assert.not(existsSync(first.path(`terraform/state/${ACCOUNT}/eu-west-1/core/core-1.tfstate`)));
  const built = await run(first, "build", "--yes", CORE);
  assert.is(built.exit, 0, built.stderr);
  assert.match((await run(first, "build", CORE)).stderr, "nothing to do");
  const locks = (await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents?.filter(({ Key }) =>
    Key?.endsWith(".tflock"),
  );
  assert.equal(locks ?? [], []);
});

testWithS3(
  "a second clone sees what the first applied: nothing is planned, and the facts are the same",
  async (mirror) => {
    second = member(mirror, first);
    useS3(second);
    const account = readFileSync(aws.file, "utf8");
    const { exit, stderr } = await run(second, "build", "--yes", CORE);
    assert.is(exit, 0, stderr);
    assert.not.match(stderr, /^plan {5}(instance|core|thing)/m);
    assert.equal(JSON.parse(readFileSync(aws.file, "utf8")), JSON.parse(account));
    for (const name of ["instance/dospesos", "core/core-1"]) {
      const outputs = (clone: TerraformClone): unknown =>
        (JSON.parse(clone.read(`terraform/state/effects/${name}.json`)) as { outputs: unknown }).outputs;
      assert.equal(outputs(second), outputs(first));
    }
  },
);

testWithS3("what the first applies later, --verify of the second names", async () => {
  first.edit("settings.ini", (text) => text.replace("group = my-group", "group = field"));
  assert.is((await run(first, "build", "--yes", CORE)).exit, 0);
  const status = await run(second, "status", "--verify");
  assert.is(status.exit, 1, status.stderr);
  assert.match(status.stderr, /drift {4}core core-1: state was changed by somebody else: serial \d+ → \d+/);
  second.edit("settings.ini", (text) => text.replace("group = my-group", "group = field"));
  const built = await run(second, "build", "--yes", "--json", CORE);
  assert.is(built.exit, 0, built.stderr);
  assert.ok(ran(built).includes(CORE));
});

testWithS3("a plan that somebody else overtook is never applied", async () => {
  second.edit("settings.ini", (text) => text.replace("group = field", "group = second"));
  const terminal = new Started(
    second.root,
    "script",
    ["-qec", `${process.execPath} ${command(second)} build ${CORE}`, "/dev/null"],
    { env: environmentOf(second), stdio: ["pipe", "pipe", "pipe"] },
  );
  await terminal.tells(/Apply these changes/, 0, 120_000);
  terminal.child.stdin!.write("y\n"); // the group, which the core needs
  await terminal.tells(/Apply these changes[^]*Apply these changes/, 0, 120_000);
  first.edit("settings.ini", (text) => text.replace("group = field", "group = first"));
  assert.is((await run(first, "build", "--yes", CORE)).exit, 0);
  const account = readFileSync(aws.file, "utf8");
  terminal.child.stdin!.write("y\n");
  const { exit, stdout } = await terminal.end(240_000);
  assert.is(exit, 4, stdout);
  assert.match(stdout, "somebody else changed its state after the plan was made");
  assert.is(readFileSync(aws.file, "utf8"), account);
});

testWithS3("who holds the lock is named, and nothing waits for ever", async () => {
  const lock = `${KEY}/instance/dospesos.tfstate.tflock`;
  const Body = JSON.stringify({
    ID: "6f1d",
    Operation: "OperationTypeApply",
    Info: "",
    Who: "alex@bench",
    Version: "1.11.4",
    Created: "2026-01-02T03:04:05Z",
    Path: `${BUCKET}/${KEY}/instance/dospesos.tfstate`,
  });
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: lock, Body }));
  const { exit, stderr } = await run(first, "build", "--yes", "--force", INSTANCE);
  assert.is(exit, 4, stderr);
  assert.match(
    stderr,
    "error DP406: instance dospesos: its state is locked by alex@bench (OperationTypeApply, since 2026-01-02",
  );
  assert.match(stderr, "force-unlock 6f1d");
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: lock }));
});

testWithS3("no secret is in the bucket, or in what the clones keep", async () => {
  for (const { Key = "" } of (await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents ?? []) {
    assert.not.match(await object(Key), new RegExp(`PRIVATE KEY|${CANARY}`));
  }
  for (const name of [...filesBelow(first, "terraform/state"), ...filesBelow(first, ".dospesos")]) {
    assert.not.match(readFileSync(first.path(name), "latin1"), new RegExp(`PRIVATE KEY|${CANARY}`), name);
  }
});

test.after(async () => {
  s3?.destroy();
  await aws?.close();
  await moto?.stop();
});

test.run();
