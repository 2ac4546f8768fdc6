import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, PLAIN, ran, start } from "../support/bin.ts";
import { contentsOf, projectOf, put, temporaryFiles, textOf } from "../support/folder.ts";
import { buildAsTold } from "../support/told.ts";
import { randomNumbers, torture } from "../support/random.ts";

const KILLS = Math.ceil(100 * torture);

/** 200 targets: rules of one and of three outputs, a fact between them, an effect, and a glob. */
const DOFILE = `import { writeFileSync } from "node:fs";
import { effect, fact, file, glob, project, rule } from "dospesos";
export default project(({ settings }) => {
  const sources = Array.from({ length: 10 }, (_, n) => file("source/" + n + ".txt"));
  const single = Array.from({ length: 100 }, (_, n) => rule({
    target: "out/single/" + n + ".txt", needs: { source: sources[n % 10]! },
    recipe: async ({ source }) => { await undefined; return n + source.text.repeat(n % 7 * 100); },
  }));
  const count = fact({ name: "count", needs: { all: glob("source/*.txt") }, recipe: ({ all }) => ({ files: all.length, bytes: all.map((one) => one.bytes.length) }) });
  const many = Array.from({ length: 30 }, (_, n) => rule({
    targets: { a: "out/many/" + n + ".a", b: "out/many/" + n + ".b", c: "out/many/" + n + ".c" }, needs: { count, below: single[n]! }, mode: n % 2 === 0 ? 0o600 : 0o644,
    recipe: ({ count, below }, { settings }) => ({ a: below.text, b: JSON.stringify(count) + n, c: settings.aws.region + below.text.length }),
  }));
  const applied = effect({ name: "account", target: "applied.json", needs: { last: many[29]!.files.b }, apply: async ({ last }, { root }) => {
    writeFileSync(root + "/account.txt", last.text);
    return { was: last.text };
  } });
  const after = Array.from({ length: 9 }, (_, n) => rule({ target: "out/after/" + n, needs: { applied }, recipe: ({ applied }) => applied.was + n }));
  return [...single, count, ...many, applied, ...after];
});
`;

function sources(round: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: 10 + (round % 3) }, (_, n) => [
      `source/${n}.txt`,
      `text ${n} of round ${n % 2 === 0 ? round % 6 : round % 2}\n`,
    ]),
  );
}

test(`after each of ${KILLS} kills at random moments the next build equals a clean one, leaves no temporary file, and the one after has nothing to do (trap 45)`, async () => {
  const random = randomNumbers("kills");
  const root = projectOf(DOFILE);
  let longest = 400;
  let cut = 0;
  for (let round = 0; round < KILLS; round++) {
    for (const [name, text] of Object.entries(sources(round))) {
      put(root, name, text);
    }
    const begin = performance.now();
    const run = start(root, "build", "--yes", "-j", String(1 + (round % 4)));
    // The moment may be anywhere from the start of the process to a little behind its end.
    const timer = setTimeout(() => run.kill("SIGKILL"), random() * longest);
    const { signal, exit } = await run.end();
    clearTimeout(timer);
    if (signal === "SIGKILL") {
      cut++;
    } else {
      assert.is(exit, 0, run.told);
      longest = 0.7 * longest + 0.3 * (performance.now() - begin);
    }
    // In between the next one is killed, too: crashes add up.
    if (round % 4 !== 0) {
      continue;
    }
    const next = dospesos(root, "build", "--yes");
    assert.is(next.exit, 0, next.stderr);
    assert.equal(temporaryFiles(root), [], `round ${round}`);
    if (round % 8 === 0) {
      assert.match(dospesos(root, "build").stderr, "nothing to do", `round ${round}`);
    }
    assert.equal(contentsOf(root), cleanBuild(round), `round ${round}`);
  }
  assert.ok(cut > KILLS / 4, `only ${cut} of ${KILLS} runs were killed before they ended`);
});

const clean = new Map<string, Record<string, string>>();

/**
 * What a build from nothing makes elsewhere. Sources of an earlier round may be left: they only grow in
 * number.
 */
function cleanBuild(round: number): Record<string, string> {
  const files = {
    ...(round >= 2 ? sources(2 + 3 * Math.floor((round - 2) / 3)) : sources(round)),
    ...sources(round),
  };
  const key = JSON.stringify(files);
  const known = clean.get(key);
  if (known !== undefined) {
    return known;
  }
  const root = projectOf(DOFILE, files);
  assert.is(dospesos(root, "build", "--yes").exit, 0);
  const made = contentsOf(root);
  clean.set(key, made);
  return made;
}

/**
 * What a crash can meet on the way of a rule with two outputs: after a temporary file, between the renames,
 * after them, in the middle of a record, while the state is folded.
 */
const CRASHES = [
  { how: "kill", calls: ["renameSync", "rmSync"] },
  { how: "half", calls: ["writeSync", "writeFileSync"] },
];
const FAULTY = fileURLToPath(new URL("../torture/faulty-fs.cjs", import.meta.url));

for (const crash of CRASHES) {
  const where = crash.how === "kill" ? "before each rename and removal" : "in the middle of each write";
  test(`killed ${where} of a rule's two outputs and of the state, the next build does what it tells and equals a clean one (trap 45)`, async () => {
    const dofile = `import { file, project, rule } from "dospesos";
export default project(() => [rule({ targets: { a: "out/a", b: "out/b" }, needs: { source: file("source.txt") }, recipe: ({ source }) => ({ a: source.text, b: "b " + source.text }) })]);
`;
    const root = projectOf(dofile, { "source.txt": "0" });
    assert.is(dospesos(root, "build").exit, 0);
    let kills = 0;
    for (let at = 1; ; at++) {
      put(root, "source.txt", `text ${at}`);
      const fault = JSON.stringify({ ...crash, at, root });
      const { signal } = ran(root, process.execPath, ["--require", FAULTY, BIN, "build"], {
        ...PLAIN,
        TORTURE_FAULT: fault,
      });
      if (signal !== "SIGKILL") {
        break;
      }
      kills++;
      const again = buildAsTold(root);
      const [a, b] = [textOf(root, "out/a"), textOf(root, "out/b")];
      assert.equal([a, b], [`text ${at}`, `b text ${at}`], `call ${at}: ${again.join()} ran`);
      assert.equal(temporaryFiles(root), [], `call ${at}`);
    }
    assert.equal(buildAsTold(root), []);
    assert.ok(kills >= 4, `${kills} calls`);
  });
}

test("what a killed build had learned is not mixed up with what the next one learns (trap 45)", () => {
  const dofile = `import { glob, project, rule } from "dospesos";
export default project(() => Array.from({ length: 6 }, (_, n) => rule({
  target: "out/" + n, recipe: (_, { settings, glob, root, readIfExists }) => {
    const text = n + settings.aws.region + glob("found/**/*.txt").map((one) => one.path + one.text).join() + (readIfExists("extra-" + n + ".txt")?.text ?? "");
    if (n === 5 && glob("kill.now").length > 0) process.kill(process.pid, "SIGKILL");
    return text;
  },
})));
`;
  const root = projectOf(dofile, { "found/a.txt": "a" });
  assert.is(dospesos(root, "build").exit, 0);
  // All of this is seen before the journal begins: new folders, new names, new digests.
  put(root, "found/new/b.txt", "b");
  put(root, "settings.ini", contentsOf(root)["settings.ini"]!.slice(4).replace("eu-west-1", "eu-central-1"));
  for (let n = 0; n < 6; n++) {
    put(root, `extra-${n}.txt`, `extra ${n}`);
  }
  put(root, "kill.now", "");
  const killed = dospesos(root, "build", "-j", "1");
  assert.is(killed.signal, "SIGKILL", killed.stderr);
  const events = dospesos(root, "status", "--json")
    .stdout.trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { target: string; status: string });
  assert.equal(
    events.filter((event) => event.status === "fresh").map((event) => event.target),
    ["out/0", "out/1", "out/2", "out/3", "out/4"],
  );
});

test("a half-written journal entry behind good ones costs only the step that it tells of (trap 45)", () => {
  const dofile = `import { project, rule } from "dospesos";
export default project(() => Array.from({ length: 4 }, (_, n) => rule({ target: "out/" + n, recipe: (_, { readIfExists }) => {
  if (n === 3 && readIfExists("kill.now") !== undefined) process.kill(process.pid, "SIGKILL");
  return "x" + n;
} })));
`;
  const root = projectOf(dofile, { "kill.now": "" });
  assert.is(dospesos(root, "build", "-j", "1").signal, "SIGKILL");
  appendFileSync(join(root, ".dospesos/journal"), Buffer.alloc(17, 0x41));
  const next = dospesos(root, "status", "--json").stdout;
  assert.is(next.match(/"status":"fresh"/g)?.length, 3, next);
});

test("deleting .dospesos while a build runs costs nothing but time", async () => {
  const dofile = `import { rmSync } from "node:fs";
import { project, rule } from "dospesos";
export default project(() => Array.from({ length: 5 }, (_, n) => rule({ target: "out/" + n, recipe: (_, { root }) => {
  if (n === 2) rmSync(root + "/.dospesos", { recursive: true, force: true });
  return "x" + n;
} })));
`;
  const root = projectOf(dofile);
  assert.is(dospesos(root, "build", "-j", "1").exit, 0);
  assert.match(dospesos(root, "build").stderr, "nothing to do");
  assert.equal(Object.keys(contentsOf(root)).filter((name) => name.startsWith("out/")).length, 5);
});

test.run();
