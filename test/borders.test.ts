import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import fastGlob from "fast-glob";
import { test } from "uvu";
import * as assert from "uvu/assert";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The rooms of lib/, and for each the rooms that it may import. Everybody may import the ground floor. */
const GROUND_FLOOR = ["problem", "file", "parallel", "layout"];

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  problem: [],
  file: [],
  parallel: [],
  layout: [],
  engine: [],
  pki: [],
  modules: [],
  render: [],
  device: ["http", "pki"],
  dofile: ["engine"],
  settings: ["aws", "device"],
  http: [],
  aws: ["device", "http"],
  sandbox: ["pki", "aws"],
  watch: ["engine"],
  ui: ["engine"],
  registry: ["aws", "modules", "pki"],
  terraform: ["aws", "modules", "pki"],
  account: [
    "aws",
    "device",
    "dofile",
    "engine",
    "modules",
    "registry",
    "sandbox",
    "settings",
    "terraform",
    "context",
  ],
  check: ["account", "aws", "device", "settings", "engine"],
  context: ["engine", "settings"],
  index: ["account", "aws", "context", "device", "dofile", "engine", "modules", "pki", "settings"],
  cli: [
    "account",
    "aws",
    "check",
    "context",
    "device",
    "dofile",
    "engine",
    "modules",
    "pki",
    "render",
    "sandbox",
    "settings",
    "terraform",
    "ui",
    "watch",
  ],
};

/** Rooms with one face: what is not exported by their index.ts is theirs. */
const FACES = ["engine", "problem", "dofile", "file"];

interface Import {
  readonly from: string;
  readonly to: string;
}

const IMPORT = /(?:\bfrom|\bimport\(|^import)\s*"(\.{1,2}\/[^"]+)"/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  return Array.from(text.matchAll(IMPORT), ([, path]) => ({
    from: file,
    to: posix.normalize(posix.join(posix.dirname(file), path!)),
  }));
}

/** lib/engine/run/build.ts is in the room engine; lib/index.ts is a room of its own. */
function roomOf(file: string): string {
  return file.split("/")[1]!.replace(/\.ts$/, "");
}

const files = fastGlob.globSync("lib/**/*.ts", { cwd: root });
const imports = files.flatMap(importsOf);

test("each room imports only the rooms that it may", () => {
  const wrong = imports.filter(({ from, to }) => {
    const [mine, theirs] = [roomOf(from), roomOf(to)];
    return mine !== theirs && !GROUND_FLOOR.includes(theirs) && !(MAY_IMPORT[mine] ?? []).includes(theirs);
  });
  assert.equal(wrong, []);
});

test("rooms with one face are entered by it alone", () => {
  const wrong = imports.filter(({ from, to }) => {
    const room = roomOf(to);
    // The nothing-to-do path is a program of its own (see lib/cli/compile.cjs), and its text the command's.
    const isEntry = to === "lib/engine/run/nothing-to-do.ts";
    return FACES.includes(room) && roomOf(from) !== room && to !== `lib/${room}/index.ts` && !isEntry;
  });
  assert.equal(wrong, []);
});

test("lib knows the names of files that rules make from lib/layout.ts alone", () => {
  const paths = /["\x60](?:edge\/(?:out|keys|nucleus)|terraform\/(?:instance|core|thing))(?=["\x60/])/;
  const wrong = files
    .filter((file) => file !== "lib/layout.ts")
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .filter((line) => paths.test(line) && !/^\s*(?:\*|\/\/|\/\*)/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
  assert.equal(wrong, []);
});

test("no files import each other in a circle, not even for types", () => {
  const next = new Map(
    files.map((file) => [file, imports.filter(({ from }) => from === file).map(({ to }) => to)]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, above: readonly string[]): void => {
    if (above.includes(file)) {
      circles.push([...above.slice(above.indexOf(file)), file].join(" → "));
      return;
    }
    if (done.has(file)) {
      return;
    }
    for (const below of next.get(file) ?? []) {
      visit(below, [...above, file]);
    }
    done.add(file);
  };
  for (const file of files) {
    visit(file, []);
  }
  assert.equal(circles, []);
});

test("the rules of the project use the public API alone", () => {
  const rules = fastGlob.globSync(["rules/*.ts", "Dofile.ts"], { cwd: root });
  assert.equal(
    rules.flatMap(importsOf).filter(({ to }) => to.startsWith("lib/")),
    [],
  );
});

test.run();
