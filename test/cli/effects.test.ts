// What a project applied ends as its rules say, and nothing that it applied is forgotten.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateThingGroupCommand } from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { accountOf, regionIn } from "../support/account.ts";
import { freshClone, ran, type Clone } from "../support/clone.ts";
import { addOwnEffects } from "../support/own-effects.ts";
import { inAccount } from "../terraform/rig.ts";

const ACCOUNT = "terraform/state/sandbox/account.json";

let clone: Clone;
const path = (name: string): string => join(clone.root, name);
const read = (name: string): string => readFileSync(path(name), "utf8");
const edit = (name: string, from: string, to: string): void => {
  const text = read(name);
  assert.match(text, from);
  writeFileSync(path(name), text.replace(from, to));
};

function done(...words: string[]): string {
  const { exit, stdout, stderr } = clone.dospesos(...words);
  assert.is(exit, 0, stderr);
  return stdout + stderr;
}

test("destroy undoes effects of one's own, lists what cannot be undone, and leaves the account as it was", async () => {
  clone = freshClone();
  addOwnEffects(clone.root);
  mkdirSync(path("terraform/state/sandbox"), { recursive: true });
  await inAccount(clone.root, async (access) => {
    const iot = await access.iot();
    await iot.send(new CreateThingGroupCommand({ thingGroupName: "of-somebody-else" }));
  });
  const before = accountOf(path(ACCOUNT));
  done("build");
  assert.match(read(ACCOUNT), '"east"');
  const output = done("destroy", "--yes");
  assert.ok(output.indexOf("entry east of the register") < output.indexOf("thing group east"), output);
  assert.match(output, "a letter sent: it cannot be undone; its marker letter.json stays");
  assert.equal(accountOf(path(ACCOUNT)), before);
  assert.equal(
    ["markers of my own/east.remembered", "letter.json", "register-east"].map((name) =>
      existsSync(path(name)),
    ),
    [false, true, false],
  );
  // What was sent stays sent; all else is made anew.
  const again = ran(clone.dospesos("build", "--json"));
  assert.ok(again.includes("markers of my own/east.remembered"));
  assert.not(again.includes("letter.json"));
});

test("an effect that no rule declares any more is undone by its kind; without its kind it is left, with its marker", () => {
  const dofile = read("Dofile.ts");
  edit("Dofile.ts", "ownEffects(settings)", "ownEffects(settings).slice(1)");
  done("build");
  assert.match(done("destroy", "--yes"), "thing group east");
  assert.not.match(read(ACCOUNT), '"east"');
  writeFileSync(path("Dofile.ts"), dofile);
  done("build");
  // The module with the kinds is gone.
  clone.git("checkout", "-q", "Dofile.ts");
  assert.match(done("build"), /east is no longer in the project, but what it applied still exists/);
  const output = done("destroy", "--yes");
  assert.match(output, "fleet group east: it cannot be undone; its marker");
  assert.match(read(ACCOUNT), '"east"');
  assert.ok(existsSync(path("terraform/state/effects/fleet-group/east.json")));
});

test("another region: build, inventory and destroy name what the old one still has, and the way back takes it away", () => {
  clone = freshClone();
  done("build");
  edit("settings.ini", "region  = eu-west-1", "region  = eu-central-1");
  const named =
    /the sandbox, eu-west-1, instance dospesos still has .*: to destroy them set \[aws\] region = eu-west-1/;
  assert.match(done("build"), named);
  assert.match(done("inventory"), named);
  assert.match(done("destroy", "--yes"), named);
  edit("settings.ini", "region  = eu-central-1", "region  = eu-west-1");
  // Nothing is made anew: this region has all that it had.
  const back = done("destroy", "--yes");
  assert.match(back, "destroyed core core-1");
  assert.not.match(back, "still has");
  for (const name of ["eu-west-1", "eu-central-1"]) {
    const left = Object.entries(regionIn(path(ACCOUNT), name)).filter(
      ([, value]) => (value as unknown[]).length > 0,
    );
    assert.equal(left, [], name);
  }
});

test("a sandbox whose files were deleted is made anew by the next build", () => {
  clone = freshClone();
  done("build");
  rmSync(path("terraform/state"), { recursive: true });
  done("build");
  assert.match(done("inventory"), "core-1");
});

test.run();
