import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, PLAIN, Started } from "../support/bin.ts";
import { becomes, contentsOf, put } from "../support/folder.ts";
import { testInOwn, unshared } from "../support/namespaces.ts";
import { endsRight, projectOfTexts, watching } from "../support/watching.ts";

/** A second folder of sources. */
const DEEP = { "source/deep/b.txt": "b" };

// One watch is not enough for the folders of the project: some are watched before the limit is met.
for (const [limit, value] of [
  ["max_inotify_watches", 0],
  ["max_inotify_watches", 1],
  ["max_inotify_instances", 0],
] as const) {
  testInOwn(
    test,
    "watches",
    `where ${limit} is ${value} watch says once that it polls, and still sees every save (trap 63)`,
    async () => {
      const root = projectOfTexts(DEEP);
      const script = `echo ${value} > /proc/sys/user/${limit} && exec "$0" "$1" watch`;
      const watch = new Started(
        root,
        "unshare",
        [...unshared("watches"), "sh", "-c", script, process.execPath, BIN],
        { env: PLAIN },
      );
      await watch.tells(/watching:/);
      await watch.tells(/limit for watches is reached/);
      for (const round of [1, 2, 3]) {
        put(root, "source/a.txt", `polled ${round}\n`);
        await becomes(root, "out/copy.txt", (text) => text === `polled ${round}\n`);
      }
      put(root, "source/new.txt", "new");
      await becomes(root, "out/all.txt", (text) => text.includes("source/new.txt: new"));
      put(root, "source/new folder/c.txt", "c");
      await becomes(root, "out/all.txt", (text) => text.includes("c.txt: c"));
      assert.is(watch.told.match(/limit for watches/g)?.length, 1);
      await endsRight(watch, root);
    },
  );
}

test("a watched folder that is deleted and made again is watched again (trap 63)", async () => {
  const root = projectOfTexts(DEEP);
  const watch = await watching(root);
  for (const round of [1, 2, 3]) {
    rmSync(join(root, "source"), { recursive: true });
    await becomes(root, "out/all.txt", (text) => text === "");
    put(root, "source/a.txt", `made again ${round}\n`);
    await becomes(root, "out/copy.txt", (text) => text === `made again ${round}\n`);
    put(root, "source/a.txt", `saved ${round}\n`);
    await becomes(root, "out/copy.txt", (text) => text === `saved ${round}\n`);
  }
  await endsRight(watch, root);
});

test("the project's own folder that is deleted and made again is watched again (trap 63)", async () => {
  const root = projectOfTexts(DEEP);
  const sources = Object.entries(contentsOf(root)).map(
    ([name, text]) => [name, text.replace(/^\d+ /, "")] as const,
  );
  const watch = await watching(root);
  const from = watch.told.length;
  // The watch may make .dospesos again for its lock while this goes on.
  rmSync(root, { recursive: true, maxRetries: 10, retryDelay: 20 });
  mkdirSync(root);
  for (const [name, text] of sources) {
    put(root, name, text);
  }
  await watch.tells(/made +out\/copy\.txt/, from);
  put(root, "source/a.txt", "saved after that\n");
  await watch.tells(/made +out\/copy\.txt +source\/a\.txt changed/, from);
  await endsRight(watch, root);
});

test("the project's own folder that is away for a while is waited for (trap 63)", async () => {
  const root = projectOfTexts(DEEP);
  const watch = await watching(root);
  const from = watch.told.length;
  renameSync(root, `${root}-away`);
  await watch.tells(/\n/, from);
  renameSync(`${root}-away`, root);
  put(root, "source/a.txt", "back again\n");
  await becomes(root, "out/copy.txt", (text) => text === "back again\n");
  await endsRight(watch, root);
});

test.run();
