// dev, stage and prod from one checkout: each has its own settings, outputs, state and account.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readAccount } from "../../lib/sandbox/account-file.ts";
import { loadState } from "../../lib/engine/index.ts";
import { events, freshClone, ran } from "../support/clone.ts";

const clone = freshClone();
const path = (name: string): string => join(clone.root, name);
const write = (name: string, text: string): void => writeFileSync(path(name), text);
mkdirSync(path("fleet"));
write("fleet/prod.csv", "name,group\np-1,lab\np-2,lab\n");
write(
  "settings.prod.ini",
  "[aws]\nregion = eu-central-1\n[instance]\nname = prod\n[cores]\nfrom = fleet/prod.csv\n",
);
write("settings.stage.ini", "[instance]\nname = stage\n");

function done(...words: string[]): string {
  const { exit, stdout, stderr } = clone.dospesos(...words);
  assert.is(exit, 0, stderr);
  return stdout + stderr;
}

test("three environments are built beside each other, each with its own outputs, keys and account", () => {
  done("build");
  assert.match(done("build", "-e", "prod"), "prod SANDBOX");
  done("build", "-e", "stage");
  assert.ok(existsSync(path("edge/out/core-1.tar.gz")));
  assert.ok(existsSync(path("edge/out/prod/p-1.tar.gz")));
  assert.ok(existsSync(path("edge/out/stage/core-1.tar.gz")));
  assert.not(existsSync(path("edge/out/p-1.tar.gz")));
  const cas = ["sandbox", "env/prod/sandbox", "env/stage/sandbox"].map(
    (folder) => readAccount(path(`terraform/state/${folder}/account.json`))!.account.identity.ca.certificate,
  );
  assert.is(new Set(cas).size, 3);
  for (const words of [["build"], ["build", "-e", "prod"], ["build", "-e", "stage"]]) {
    assert.match(done(...words), "nothing to do");
  }
  const { exit, stderr } = clone.dospesosWith(
    { ...process.env, DOSPESOS_ENV: "prod", NO_COLOR: "1" },
    "build",
  );
  assert.is(exit, 0, stderr);
  assert.match(stderr, "prod SANDBOX  nothing to do");
  assert.is(
    clone.git("status", "--porcelain").trim(),
    "?? fleet/\n?? settings.prod.ini\n?? settings.stage.ini",
  );
});

test("a change in prod's files runs prod's steps alone, and nothing of one environment was read for another", () => {
  write("fleet/prod.csv", "name,group\np-1,lab\np-2,field\n");
  assert.match(done("build"), "nothing to do");
  assert.match(done("build", "-e", "stage"), "nothing to do");
  const targets = ran(clone.dospesos("build", "-e", "prod", "--json"));
  assert.ok(targets.length > 0);
  for (const target of targets) {
    assert.match(target, /\/prod\//);
    assert.not.match(target, "p-1");
  }
  const prerequisites = (variant: string): string[] => {
    const { state } = loadState(clone.root, variant);
    return [...state.records.values()].flatMap(({ edges }) =>
      Array.from(edges.nodes)
        .slice(edges.start, edges.end)
        .map((node) => state.nodeName[node]!),
    );
  };
  assert.ok(prerequisites("env/prod").some((name) => name.includes("/prod/")));
  for (const variant of ["", "env/prod", "env/stage"]) {
    const others = ["prod", "stage"].filter((name) => variant !== `env/${name}`);
    const found = prerequisites(variant).filter((name) => others.some((one) => name.includes(`/${one}/`)));
    assert.equal(found, [], variant);
  }
});

test("check talks to the devices of its own environment", () => {
  assert.match(done("check", "-e", "prod"), "all checks passed");
});

test("settings --diff lists what is not the same everywhere", () => {
  const found = events(clone.dospesos("settings", "--diff", "--json"))
    .filter(({ type }) => type === "setting-difference")
    .map(({ key, values }) => [key, values]);
  assert.equal(found, [
    ["number of cores", { default: 1, prod: 3, stage: 1 }],
    ["aws.region", { default: "eu-west-1", prod: "eu-central-1", stage: "eu-west-1" }],
    ["instance.name", { default: "dospesos", prod: "prod", stage: "stage" }],
    ["cores.from", { default: null, prod: "fleet/prod.csv", stage: null }],
  ]);
});

test("clean takes its own environment's outputs, and leaves the state of the others", () => {
  done("clean");
  assert.ok(existsSync(path("edge/out/prod/p-1.tar.gz")));
  assert.match(done("build", "-e", "prod"), "nothing to do");
  done("clean", "-e", "prod");
  assert.not(existsSync(path("edge/out/prod/p-1.tar.gz")));
  assert.ok(existsSync(path("edge/out/stage/core-1.tar.gz")));
});

test("an environment without a file, or with a name that is none, stops with what to do", () => {
  const missing = clone.dospesos("build", "-e", "dev");
  assert.is(missing.exit, 2);
  assert.match(missing.stderr, "settings.dev.ini: error DP101: there is no such file");
  const wrong = clone.dospesos("build", "-e", "../x");
  assert.is(wrong.exit, 2);
  assert.match(wrong.stderr, "cannot be the name of an environment");
  assert.match(readFileSync(path("settings.ini"), "utf8"), "core-1");
});

test.run();
