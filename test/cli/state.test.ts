import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { projectHost } from "../../lib/cli/host.ts";
import {
  build,
  explain,
  finish,
  openStore,
  selectSteps,
  Session,
  loadState,
  type EngineEvent,
  type Explanation,
} from "../../lib/engine/index.ts";
import { checksum } from "../../lib/engine/state/columns.ts";
import { dospesos } from "../support/bin.ts";
import { edit, projectOf, put, textOf } from "../support/folder.ts";
import { randomNumbers, torture } from "../support/random.ts";
import { buildAsTold } from "../support/told.ts";

const DOFILE = `import { fact, file, project, rule } from "dospesos";
export default project(() => {
  const size = fact({ name: "size", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text.length });
  return [
    rule({ target: "out/copy.txt", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text }),
    rule({ targets: { a: "out/a.txt", b: "out/b.txt" }, needs: { size }, recipe: ({ size }, { settings }) => ({ a: String(size), b: settings.aws.region }) }),
  ];
});
`;
const RIGHT = { "out/a.txt": "4", "out/b.txt": "eu-west-1", "out/copy.txt": "one\n" };

function texts(): string {
  return projectOf(DOFILE, { "source.txt": "one\n" });
}

function isRight(root: string, where: string): void {
  for (const [name, text] of Object.entries(RIGHT)) {
    assert.is(textOf(root, name), text, where);
  }
}

const API = new URL("../../lib/index.ts", import.meta.url).href;

/** A build in this process: many of them take little time. */
async function built(root: string): Promise<EngineEvent[]> {
  const events: EngineEvent[] = [];
  const emit = (event: EngineEvent): void => void events.push(event);
  const session = open(root);
  const store = openStore(session, emit);
  const options = {
    targets: [],
    jobs: 2,
    keepGoing: false,
    force: false,
    effects: "run" as const,
    consent: async () => true,
  };
  const summary = await build(session, store, options, emit, new AbortController().signal);
  await finish(session, store);
  assert.is(summary.failed, 0);
  return events;
}

async function explained(root: string): Promise<Explanation[]> {
  const session = open(root);
  const graph = await session.graph(false);
  return explain(session, graph, selectSteps(session.state, graph, []));
}

/** As in a repository that ignores what is built. */
function open(root: string): Session {
  const host = projectHost({ api: API, digest: "test" }, "Dofile.ts");
  return new Session(root, { ...host, gitStatus: () => "ignored" });
}

test("a snapshot that is cut or has one flipped bit anywhere costs a full build and one line, never a wrong result (trap 53)", async () => {
  const random = randomNumbers("snapshot damage");
  const root = texts();
  await built(root);
  const path = join(root, ".dospesos/snapshot");
  const whole = readFileSync(path);
  for (let round = 0; round < 60 * torture; round++) {
    const offset = Math.floor(random() * whole.length);
    const flipped = Buffer.from(whole);
    flipped[offset]! ^= 1 << Math.floor(random() * 8);
    writeFileSync(path, round % 2 === 0 ? whole.subarray(0, offset) : flipped);
    put(root, "out/b.txt", "not this");
    const told = await explained(root);
    assert.ok(
      told.every((one) => one.freshness !== "fresh"),
      "all is reported to be stale",
    );
    const events = await built(root);
    const where = `${round % 2 === 0 ? "cut at" : "flipped in"} byte ${offset} of ${whole.length}`;
    assert.is(
      events.filter((event) => event.type === "note" && event.what.includes("was damaged")).length,
      1,
      where,
    );
    isRight(root, where);
  }
  assert.ok((await explained(root)).every((one) => one.freshness === "fresh"));
});

test("every cut of a snapshot and every flipped bit is noticed (trap 53)", async () => {
  const root = texts();
  await built(root);
  const path = join(root, ".dospesos/snapshot");
  const whole = readFileSync(path);
  for (let offset = 0; offset < whole.length; offset++) {
    writeFileSync(path, whole.subarray(0, offset));
    assert.ok(loadState(root).damaged, `cut at ${offset}`);
  }
  const step = torture > 1 ? 1 : 7;
  for (let bit = 0; bit < whole.length * 8; bit += step) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, flipped);
    assert.ok(loadState(root).damaged, `bit ${bit}`);
  }
});

test("a journal that is cut or has one flipped bit anywhere never makes a stale target pass for fresh (trap 53)", async () => {
  const random = randomNumbers("journal damage");
  // The process dies in one recipe after it has written down what the others made.
  const deadly = `async ({ source }) => {
      if (source.text !== "two\\n") return source.text;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return process.kill(process.pid, "SIGKILL") ? "" : "";
    } }),`;
  const root = projectOf(DOFILE.replace("({ source }) => source.text }),", deadly), {
    "source.txt": "one\n",
  });
  assert.is(dospesos(root, "build").exit, 0);
  put(root, "source.txt", "two\n");
  edit(root, "settings.ini", "eu-west-1", "eu-central-1");
  assert.is(dospesos(root, "build", "-j", "2").signal, "SIGKILL");
  const [snapshot, journal] = ["snapshot", "journal"].map((name) => join(root, ".dospesos", name)) as [
    string,
    string,
  ];
  const whole = readFileSync(journal);
  copyFileSync(snapshot, `${snapshot}.kept`);
  for (let offset = 0; offset <= whole.length; offset++) {
    copyFileSync(`${snapshot}.kept`, snapshot);
    const damaged = Buffer.from(whole.subarray(0, offset % 2 === 0 ? offset : whole.length));
    if (offset % 2 === 1) {
      damaged[offset]! ^= 1 << Math.floor(random() * 8);
    }
    writeFileSync(journal, damaged);
    const { state } = loadState(root);
    for (const record of state.records.values()) {
      for (const edges of [record.outputs, record.edges]) {
        for (let index = edges.start; index < edges.end; index++) {
          assert.ok(
            edges.nodes[index]! < state.nodeName.length && edges.digests[index]! < state.digests.length,
            `byte ${offset}`,
          );
        }
      }
    }
  }
  put(root, "source.txt", "one\n");
  edit(root, "settings.ini", "eu-central-1", "eu-west-1");
  for (let round = 0; round < 12 * torture; round++) {
    copyFileSync(`${snapshot}.kept`, snapshot);
    writeFileSync(journal, whole.subarray(0, Math.floor(random() * whole.length)));
    buildAsTold(root);
    isRight(root, `round ${round}`);
  }
});

test("the state of a newer version is refused with exit 4 and stays as it is (trap 27)", () => {
  const root = texts();
  assert.is(dospesos(root, "build").exit, 0);
  const path = join(root, ".dospesos/snapshot");
  const bytes = new Uint8Array(readFileSync(path));
  const words = new Uint32Array(bytes.buffer);
  words[4]! += 1;
  words[2] = checksum(words, 4, words[7]! / 4);
  writeFileSync(path, bytes);
  for (const command of ["build", "status", "clean", "list"]) {
    const { exit, stderr } = dospesos(root, command);
    assert.is(exit, 4, command);
    assert.match(stderr, "this state was written by a newer version of dospesos");
  }
  assert.equal(new Uint8Array(readFileSync(path)), bytes);
  isRight(root, "newer");
});

test("a .dospesos that is a file stops the build with one line that names it, before any target is touched (trap 53)", () => {
  const root = texts();
  put(root, ".dospesos", "mine");
  const { exit, stderr } = dospesos(root, "build");
  assert.is(exit, 1);
  assert.match(stderr, /\.dospesos/);
  assert.not.match(stderr, "DP001");
  assert.is(stderr.match(/error/g)?.length, 1, stderr);
  assert.is(textOf(root, ".dospesos"), "mine");
  assert.not(existsSync(join(root, "out")));
});

test("folders where the snapshot and the journal should be are replaced, and the build is right (trap 53)", () => {
  const root = texts();
  assert.is(dospesos(root, "build").exit, 0);
  for (const name of ["snapshot", "journal"]) {
    rmSync(join(root, ".dospesos", name), { recursive: true, force: true });
    mkdirSync(join(root, ".dospesos", name, "deep"), { recursive: true });
  }
  assert.equal(buildAsTold(root), ["out/a.txt", "out/copy.txt", "size"]);
  isRight(root, "folders");
  assert.match(dospesos(root, "build").stderr, "nothing to do");
});

test.run();
