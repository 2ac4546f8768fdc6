// Devices that lie: whatever an answer holds, push ends, as done or with a problem that names the device.
import { createHash } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { push } from "../../lib/device/push.ts";
import { localFile } from "../../lib/device/push-task.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { randomNumbers, torture } from "../support/random.ts";
import { tempFolder } from "../support/temp.ts";

/** An ssh that has a connection to share, and answers scripts with $LIES between the marks, and ends with $EXIT. */
const SSH = `#!/bin/sh
case "$1" in -G) echo 'controlpath /nowhere'; exit 0 ;; esac
for last; do :; done
if [ "$last" = "sh -s" ]; then
  IFS= read -r first
  mark=$(printf '%s\\n' "$first" | sed 's/.*echo "\\(-- [0-9a-f]*\\)".*/\\1/')
  [ "$NOISE" = before ] && cat "$LIES"
  [ "$MARKS" = none ] || { echo "$mark"; echo "$mark" >&2; }
  cat "$LIES"; cat "$LIES" >&2
  [ "$MARKS" = one ] || [ "$MARKS" = none ] || { echo "$mark"; echo "$mark" >&2; }
fi
[ "$EARLY" = yes ] || cat > /dev/null
exit "$EXIT"
`;

const folder = tempFolder("lying");
const archive = join(folder, "core-1.tar.gz");
const nucleus = join(folder, "greengrass-2.99.0.zip");
writeFileSync(join(folder, "ssh"), SSH);
chmodSync(join(folder, "ssh"), 0o755);
writeFileSync(archive, "an archive");
writeFileSync(nucleus, "a nucleus of a few bytes");

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What a look, an unpacking and setup.sh may say, true, nearly true, and not at all. */
const LINES: readonly ((number: () => number) => string)[] = [
  () => "sudo root",
  () => "sudo free",
  () => "sudo interactive",
  () => "sudo $(id) ; rm -rf /",
  (number) => `clock ${Math.round(Date.now() / 1000 + (number() - 0.5) * 1000)}`,
  () => `clock ${Math.round(Date.now() / 1000)}`,
  () => "clock NaN",
  () => "clock 1e400",
  () => `has core-1.tar.gz ${digest("an archive")}  -`,
  () => `has greengrass-2.99.0.zip ${"0".repeat(64)}`,
  () => "has",
  // The digest of all but the last five bytes: whoever cuts at -5 finds it right.
  () => `part greengrass-2.99.0.zip ${digest("a nucleus of a few ")} -5`,
  () => `part greengrass-2.99.0.zip ${digest("a")} 1.5`,
  () => `part greengrass-2.99.0.zip ${digest("a nucleus")} 9`,
  () => `part greengrass-2.99.0.zip ${digest("")} 999999999999999999999`,
  () => "part __proto__ x 1",
  () => "lacks tar gzip",
  () => "damaged ../../etc/passwd",
  () => "error: \u001b[2J\u009b31m all is well \u202e",
  () => "  why: \r\n",
  () => "-----BEGIN CERTIFICATE REQUEST-----",
  (number) => "x".repeat(Math.floor(number() * 70_000)),
  (number) => String.fromCharCode(...Array.from({ length: 40 }, () => Math.floor(number() * 0x2100))),
];

test("push ends with what it is to say, whatever the device answers", async () => {
  const number = randomNumbers("lying devices");
  const one = <T>(from: readonly T[]): T => from[Math.floor(number() * from.length)]!;
  const path = process.env["PATH"];
  process.env["PATH"] = `${folder}:${path}`;
  const rounds = Math.ceil(200 * torture);
  const ends = new Map<string, number>();
  try {
    for (let round = 0; round < rounds; round++) {
      // Most looks succeed, so that what follows them is tried, too.
      const lies = [
        ...(number() < 0.8 ? [`clock ${Math.round(Date.now() / 1000)}`, "sudo root"] : []),
        ...Array.from({ length: Math.floor(number() * 9) }, () => one(LINES)(number)),
      ];
      writeFileSync(join(folder, "lies"), lies.join(one(["\n", "\r\n", "\n\n"])) + one(["", "\n"]));
      Object.assign(process.env, {
        LIES: join(folder, "lies"),
        EXIT: one(["0", "0", "0", "0", "1", "4", "126", "255"]),
        MARKS: one(["both", "both", "both", "one", "none"]),
        NOISE: one(["before", ""]),
        EARLY: one(["", "", "yes"]),
      });
      const reports: string[] = [];
      let end = "done";
      try {
        await push({
          core: "core-1",
          device: { host: "core-1", interactive: false, signal: new AbortController().signal },
          archive: localFile(archive),
          nucleus: one([localFile(nucleus), undefined]),
          options: [],
          report: (what) => reports.push(what),
          note: (what) => reports.push(what),
        });
      } catch (error) {
        assert.instance(error, ProblemError, `${String((error as Error).stack)}\n${lies.join("\n")}`);
        const [problem] = (error as ProblemError).problems;
        assert.match(problem!.what, "core-1");
        end = problem!.code;
      }
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  } finally {
    process.env["PATH"] = path;
  }
  console.error(`lying devices: ${rounds} pushes ended with ${JSON.stringify([...ends])}`);
  assert.ok(ends.has("done") && ends.has("DP620"));
});

test.run();
