// Every command with --json: each line is one of the documented events, and the last one is the exit.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, Started } from "../support/bin.ts";
import { freshClone, repository, type Clone, type Ended } from "../support/clone.ts";

const isEvent = new Ajv({ allErrors: false, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(repository, "docs/events.schema.json"), "utf8")) as object,
);

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

function eventsOf(command: string, { stdout, exit }: Ended): Event[] {
  const events = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);
  for (const event of events) {
    assert.ok(isEvent(event), `${command}: ${JSON.stringify(event)}`);
  }
  const last = events.at(-1)!;
  assert.equal([last.type, last["command"], last["exit"]], ["exit", command, exit]);
  return events;
}

let clone: Clone;
const edit = (from: string, to: string): void => {
  const file = join(clone.root, "settings.ini");
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
};
const run = (...words: readonly [string, ...string[]]): Event[] =>
  eventsOf(words[0], clone.dospesos(...words, "--json"));
const types = (events: readonly Event[]): string[] => [...new Set(events.map(({ type }) => type))];

test("build, status, why, list, deploy, check and inventory say everything in events", () => {
  clone = freshClone();
  assert.equal(types(run("build", "--dry-run")), ["status", "dry-run-summary", "exit"]);
  assert.equal(types(run("deploy", "--dry-run")), ["status", "dry-run-summary", "exit"]);
  assert.equal(types(run("build")).slice(-2), ["end", "exit"]);
  assert.equal(types(run("status")), ["status", "status-summary", "exit"]);
  assert.equal(types(run("why", "edge/out/core-1.tar.gz")), ["why", "exit"]);
  assert.equal(types(run("list")), ["group", "target", "exit"]);
  assert.ok(run("deploy").some(({ type, outcome }) => type === "deployment" && outcome === "succeeded"));
  assert.equal(types(run("check")), ["check", "check-summary", "exit"]);
  assert.equal(types(run("inventory")), ["thing", "inventory-summary", "cost", "exit"]);
});

test("problems are events, too, and what a person would have to do", () => {
  assert.equal(types(run("status", "--verify")), ["problem", "exit"]);
  assert.equal(types(run("move-state")), ["problem", "exit"]);
  assert.equal(types(run("request")), ["request-summary", "exit"]);
  assert.equal(types(run("push", "core-1", "--host", "nobody@127.0.0.1")), ["note", "declined", "exit"]);
  const push = run("push", "core-1", "--host", "nobody@no-such-host.invalid", "--yes", "--sandbox-ok");
  assert.equal(types(push).slice(-3), ["problem", "push-summary", "exit"]);
  assert.equal(types(run("destroy")), ["plan", "declined", "exit"]);
  edit("region  = eu-west-1", "region  = eu-central-1");
  assert.ok(types(run("inventory")).includes("elsewhere"));
  edit("region  = eu-central-1", "regoin  = eu-west-1");
  assert.equal(types(run("build")), ["problem", "exit"]);
  edit("regoin  = eu-west-1", "region  = eu-west-1");
});

test("watch and sandbox, until Ctrl-C", async () => {
  for (const [command, ready] of [
    ["watch", /"watching"/],
    ["sandbox", /"sandbox-listening"/],
  ] as const) {
    const started = new Started(clone.root, process.execPath, [BIN, command, "--json"]);
    await started.tells(ready);
    started.child.kill("SIGINT");
    const events = eventsOf(command, await started.end());
    assert.is(events.at(-1)!["exit"], 130);
  }
});

test("destroy and clean", () => {
  assert.equal(types(run("destroy", "--yes")), ["plan", "destroyed", "left", "exit"]);
  assert.equal(types(run("clean")), ["removed", "clean-summary", "exit"]);
});

test("help and version, and a command that is none", () => {
  assert.equal(types(run("help")), ["help", "exit"]);
  assert.equal(types(eventsOf("version", clone.dospesos("--version", "--json"))), ["version", "exit"]);
  assert.equal(types(eventsOf("", clone.dospesos("biuld", "--json"))), ["problem", "exit"]);
});

test.run();
