import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createWatcher } from "../../lib/watch/watcher.ts";
import { tempFolder } from "../support/temp.ts";

test("a folder that was moved away before it is followed again is a change: its event went with its watch", async () => {
  const folder = join(tempFolder("watched"), "project");
  mkdirSync(folder);
  const watcher = createWatcher(
    () => false,
    () => {},
  );
  const followed = {
    folders: new Set([folder]),
    isSource: () => false,
    concerns: () => true,
    linksTo: () => [],
  };
  try {
    await watcher.follow(followed);
    assert.is(await watcher.changed(), "all", "what changed before the watch was there");
    renameSync(folder, `${folder}-away`);
    await watcher.follow(followed);
    const never = new Promise((resolve) => setTimeout(() => resolve("no change"), 20_000).unref());
    assert.is(await Promise.race([watcher.changed(), never]), "all");
  } finally {
    await watcher.close();
  }
});

test.run();
