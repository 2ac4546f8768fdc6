/**
 * Snapshot and journal cut at every byte, and one bit flipped at every byte: a right result, or a full
 * rebuild and one line.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { checksum } from "../../lib/engine/state/columns.ts";
import { loadState } from "../../lib/engine/index.ts";
import { filesBelow, TestProject } from "../engine/project.ts";
import { Choices } from "./choices.ts";

const BODY = `
  const size = fact({ name: "size", needs: { all: glob("in/*") }, recipe: ({ all }) => all.length });
  const many = rule({ targets: { a: "out/a", b: "out/b" }, needs: { source: file("source"), size }, recipe: ({ source, size }, { settings }) => ({ a: source.text, b: settings.aws.region + size }) });
  return [
    rule({ target: "out/c", needs: { source: file("source") }, recipe: ({ source }) => source.text.length + "c" }),
    rule({ target: "out/d", needs: { a: many.files.a }, recipe: (_, { root, readIfExists }) => {
      if (process.env.TORTURE_COPY !== undefined) copyFileSync(root + "/.dospesos/journal", process.env.TORTURE_COPY);
      return readIfExists("none")?.text ?? "d";
    } }),
  ];
`;

export interface Damaged {
  /** Damaged files that were read. */
  readonly states: number;
  /** Of these, how many a whole build began with. */
  readonly builds: number;
  readonly wrong: readonly string[];
}

/**
 * Reads every damaged state, and builds with as many of them as there is time for (at least with some),
 * chosen by the seed.
 */
export async function damage(seed: string, until: number): Promise<Damaged> {
  const wrong: string[] = [];
  const snapshot = await damageSnapshot(new Choices(`${seed} snapshot`), (Date.now() + until) / 2, wrong);
  const journal = await damageJournal(new Choices(`${seed} journal`), until, wrong);
  await refuseNewer(wrong);
  return { states: snapshot.states + journal.states, builds: snapshot.builds + journal.builds, wrong };
}

/** Every cut, and one bit of every byte, each as a name and what is left of the file. */
function damagedCopies(whole: Buffer, choices: Choices): { readonly what: string; bytes: () => Buffer }[] {
  return Array.from({ length: whole.length }, (_, offset) => {
    const bit = choices.number(8);
    const flipped = (): Buffer => {
      const bytes = Buffer.from(whole);
      bytes[offset]! ^= 1 << bit;
      return bytes;
    };
    return [
      { what: `cut at byte ${offset}`, bytes: () => whole.subarray(0, offset) },
      { what: `bit ${bit} of byte ${offset} flipped`, bytes: flipped },
    ];
  }).flat();
}

async function newProject(): Promise<TestProject> {
  const project = new TestProject(
    BODY,
    { source: "one", "in/x": "x", "in/y": "y" },
    `import { copyFileSync } from "node:fs";`,
  );
  await project.build();
  return project;
}

async function damageSnapshot(
  choices: Choices,
  until: number,
  wrong: string[],
): Promise<{ states: number; builds: number }> {
  const project = await newProject();
  const right = filesBelow(project.root);
  const path = project.path(".dospesos/snapshot");
  const whole = readFileSync(path);
  // Up to here the nothing-to-do path reads. Where only the rest is damaged, it may say that all is fresh,
  // which is right.
  const first = whole.readUInt32LE(28);
  const copies = damagedCopies(whole, choices);
  for (const { what, bytes } of copies) {
    const damaged = bytes();
    writeFileSync(path, damaged);
    if (!loadState(project.root).damaged) {
      wrong.push(`snapshot, ${what}: taken for a good one`);
    }
    const same = (from: number, to: number): boolean =>
      whole.subarray(from, to).equals(damaged.subarray(from, to));
    // Bytes 12 to 15 are the checksum of the rest.
    const readable = damaged.length === whole.length && same(0, 12) && same(16, first);
    if (!readable && project.nothingToDo()) {
      wrong.push(`snapshot, ${what}: the nothing-to-do path trusts it`);
    }
  }
  const builds = await buildWithSome(copies, choices, until, async ({ what, bytes }) => {
    writeFileSync(path, bytes());
    const outcome = await project.build();
    const notes = outcome.notes.filter((note) => note.includes("damaged"));
    if (notes.length !== 1 || outcome.problems.length > 0) {
      wrong.push(`snapshot, ${what}: ${JSON.stringify([outcome.notes, outcome.problems])}`);
    }
    if (outcome.ran.length !== 4) {
      wrong.push(`snapshot, ${what}: only ${outcome.ran.join()} ran`);
    }
    if (JSON.stringify(filesBelow(project.root)) !== JSON.stringify(right)) {
      wrong.push(`snapshot, ${what}: the result is not right`);
    }
  });
  return { states: copies.length, builds };
}

/**
 * The journal is a copy that the last recipe made of it: what a kill at that moment leaves, after new sources
 * were seen.
 */
async function damageJournal(
  choices: Choices,
  until: number,
  wrong: string[],
): Promise<{ states: number; builds: number }> {
  const project = await newProject();
  const before = readFileSync(project.path(".dospesos/snapshot"));
  project.write("source", "two");
  project.write("in/z", "z");
  process.env["TORTURE_COPY"] = project.path(".dospesos/copy");
  await project.build([], { jobs: 1 });
  delete process.env["TORTURE_COPY"];
  const [snapshot, journal] = [before, readFileSync(project.path(".dospesos/copy"))];
  const right = { "out/a": "two", "out/b": "eu-west-13", "out/c": "3c", "out/d": "d" };
  const put = (bytes: Buffer): void => {
    writeFileSync(project.path(".dospesos/snapshot"), snapshot);
    writeFileSync(project.path(".dospesos/journal"), bytes);
  };
  const copies = damagedCopies(journal, choices);
  for (const { what, bytes } of copies) {
    put(bytes());
    if (project.nothingToDo()) {
      wrong.push(`journal, ${what}: the nothing-to-do path trusts it`);
    }
    const { state } = loadState(project.root);
    for (const { outputs, edges } of state.records.values()) {
      for (const { nodes, digests, start, end } of [outputs, edges]) {
        for (let index = start; index < end; index++) {
          if (nodes[index]! >= state.nodeName.length || digests[index]! >= state.digests.length) {
            wrong.push(`journal, ${what}: a record names what there is not`);
          }
        }
      }
    }
  }
  const builds = await buildWithSome(copies, choices, until, async ({ what, bytes }) => {
    put(bytes());
    const { problems, reasons } = await project.build();
    const made = filesBelow(project.root);
    if (problems.length > 0) {
      wrong.push(`journal, ${what}: ${JSON.stringify(problems)}`);
    }
    if (Object.entries(right).some(([name, text]) => made[name] !== text)) {
      wrong.push(`journal, ${what}: the result is not right`);
    }
    // The outputs that the lost part of the journal told of stand there already: they are not as recorded,
    // which is what is reported.
    if ((await project.build()).ran.length > 0) {
      wrong.push(`journal, ${what}: the build after it has something to do, ${JSON.stringify(reasons)}`);
    }
  });
  return { states: copies.length, builds };
}

async function buildWithSome<T>(
  all: readonly T[],
  choices: Choices,
  until: number,
  build: (one: T) => Promise<void>,
): Promise<number> {
  const left = [...all];
  let builds = 0;
  for (; left.length > 0 && (builds < 5 || Date.now() < until); builds++) {
    await build(left.splice(choices.number(left.length), 1)[0]!);
  }
  return builds;
}

async function refuseNewer(wrong: string[]): Promise<void> {
  const project = await newProject();
  const path = project.path(".dospesos/snapshot");
  const bytes = new Uint8Array(readFileSync(path));
  const words = new Uint32Array(bytes.buffer);
  words[4]! += 1;
  words[2] = checksum(words, 4, words[7]! / 4);
  writeFileSync(path, bytes);
  project.write("source", "newer");
  const { problems, ran } = await project.build();
  if (problems.map((one) => one.code).join() !== "DP301" || ran.length > 0) {
    wrong.push(`a newer state: ${JSON.stringify(problems)}`);
  }
  if (!readFileSync(path).equals(bytes) || project.text("out/a") !== "one") {
    wrong.push("a newer state was touched");
  }
  rmSync(project.root, { recursive: true });
}
