import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { test } from "uvu";
import { archive, manifest, type BundleFile } from "../../lib/device/bundle.ts";
import { nucleusSha256 } from "../../lib/device/nucleus.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith } from "../support/tools.ts";
import { project } from "./templates.ts";

const FILES: BundleFile[] = [
  { name: "setup.sh", bytes: Buffer.from("#!/bin/sh\n"), mode: 0o755 },
  { name: "private.pem.key", bytes: Buffer.from("key\n"), mode: 0o600 },
  { name: "big", bytes: Buffer.alloc(300_000, "ab"), mode: 0o644 },
];

testWith(test, ["sha256sum"], "sha256sum -c accepts a MANIFEST, and finds a changed file", () => {
  const folder = tempFolder("manifest");
  for (const file of FILES) {
    writeFileSync(join(folder, file.name), file.bytes);
  }
  writeFileSync(join(folder, "MANIFEST"), manifest(FILES));
  const check = () =>
    spawnSync("sha256sum", ["--strict", "-c", "MANIFEST"], { cwd: folder, encoding: "utf8" });
  assert.is(check().stdout, "big: OK\nprivate.pem.key: OK\nsetup.sh: OK\n");
  writeFileSync(join(folder, "big"), "other");
  assert.match(check().stdout, /big: FAILED/);
});

test("an archive is the same bytes for the same files in any order, and names no time and no system", async () => {
  const one = await archive("core-1", FILES);
  const two = await archive("core-1", [...FILES].reverse());
  assert.ok(Buffer.from(one).equals(two));
  assert.is(Buffer.from(one.subarray(0, 10)).toString("hex"), "1f8b08000000000004ff");
});

testWith(
  test,
  ["tar"],
  "tar unpacks an archive into one private folder with the files' content and modes",
  async () => {
    const folder = tempFolder("archive");
    writeFileSync(join(folder, "core-1.tar.gz"), await archive("core-1", FILES));
    const target = join(folder, "out");
    mkdirSync(target);
    execFileSync("tar", ["-xzpf", join(folder, "core-1.tar.gz"), "-C", target]);
    const mode = (name: string): number => lstatSync(join(target, name)).mode & 0o777;
    assert.is(mode("core-1"), 0o700);
    for (const file of FILES) {
      assert.is(mode(`core-1/${file.name}`), file.mode);
      assert.ok(readFileSync(join(target, "core-1", file.name)).equals(file.bytes));
    }
    const listed = execFileSync("tar", ["-tvzf", join(folder, "core-1.tar.gz"), "--numeric-owner"], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    assert.match(listed, /^drwx------ 0\/0 +0 1970-01-01 00:00 core-1\/$/m);
  },
);

test("the pinned root CA is Amazon Root CA 1", () => {
  const certificate = new X509Certificate(readFileSync(join(project, "edge/certificates/AmazonRootCA1.pem")));
  const pinned = "8ECDE6884F3D87B1125BA31AC3FCB13D7016DE7F57CC904FE1CB97C6AE98196E";
  assert.is(certificate.fingerprint256.replaceAll(":", ""), pinned);
  assert.match(certificate.subject, /CN=Amazon Root CA 1/);
});

function problemOf(body: () => unknown): ProblemError {
  try {
    body();
  } catch (error) {
    assert.instance(error, ProblemError);
    return error as ProblemError;
  }
  throw new Error("no problem");
}

test("a known nucleus needs no sha256, an unknown one must be given with one", () => {
  const known = nucleusSha256("2.16.0");
  assert.match(known, /^[0-9a-f]{64}$/);
  assert.is(nucleusSha256("2.16.0", known.toUpperCase()), known);
  assert.is(nucleusSha256("2.99.0", "A".repeat(64)), "a".repeat(64));
  assert.is(nucleusSha256("2.16.0", ""), known);
  const unknown = problemOf(() => nucleusSha256("2.99.0", "", { file: "settings.ini", line: 12, column: 1 }));
  assert.is(unknown.exitCode, 2);
  assert.match(unknown.message, /^settings\.ini:12:1: error DP601: .*"2\.99\.0"/);
  assert.match(unknown.message, /fix: .*greengrass-2\.99\.0\.zip.*sha256 = .* in \[greengrass\]/);
});

test("a sha256 that is not the known one of its version is refused", () => {
  const wrong = problemOf(() => nucleusSha256("2.16.0", "a".repeat(64)));
  assert.is(wrong.exitCode, 2);
  assert.match(wrong.message, /forged/);
});

test.run();
