// A core moves from one group to another (A11): it has left the old one before that one's deployment changes.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "../support/account.ts";
import { events, freshClone } from "../support/clone.ts";

test("a core leaves its group before the group's deployment changes, and does not queue for it", () => {
  const clone = freshClone();
  const settings = join(clone.root, "settings.ini");
  const edit = (from: string, to: string): void =>
    writeFileSync(settings, readFileSync(settings, "utf8").replace(from, to));
  edit("[thing thing-1]", "[core core-2]\ngroup = my-group\n\n[thing thing-1]");
  assert.is(clone.dospesos("build").exit, 0);
  edit("group = my-group", "group = third");
  // The deployment of the old group alone: the step of the core itself does not run.
  const built = clone.dospesos("build", "terraform/state/effects/deployment/my-group.json", "--json");
  assert.is(built.exit, 0, built.stderr);
  assert.not(events(built).some(({ effect, status }) => effect === "core core-1" && status === "ran"));
  const { groups } = regionIn(join(clone.root, "terraform/state/sandbox/account.json"));
  const members = groups.find(({ name }) => name === "my-group")!.things;
  assert.equal(members, ["core-2"]);
  assert.is(clone.dospesos("build").exit, 0);
  assert.match(clone.dospesos("build", "deployment").stderr, "nothing to do");
});

test.run();
