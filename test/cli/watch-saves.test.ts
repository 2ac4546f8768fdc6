import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { becomes, put } from "../support/folder.ts";
import { endsRight, projectOfTexts, timesFailed, timesMade, watching } from "../support/watching.ts";

/** How editors save a file. */
const SAVES: Record<string, (folder: string, text: string) => void> = {
  "in place": (folder, text) => writeFileSync(`${folder}/a.txt`, text),
  "temporary file and rename": (folder, text) => {
    writeFileSync(`${folder}/a.txt.new`, text);
    renameSync(`${folder}/a.txt.new`, `${folder}/a.txt`);
  },
  "vim: swap file, probe, backup, new file": (folder, text) => {
    writeFileSync(`${folder}/.a.txt.swp`, "swap");
    writeFileSync(`${folder}/4913`, "");
    unlinkSync(`${folder}/4913`);
    renameSync(`${folder}/a.txt`, `${folder}/a.txt~`);
    writeFileSync(`${folder}/a.txt`, text);
    unlinkSync(`${folder}/a.txt~`);
    unlinkSync(`${folder}/.a.txt.swp`);
  },
  "emacs: lock link, autosave, backup": (folder, text) => {
    symlinkSync("me@host.1:2", `${folder}/.#a.txt`);
    writeFileSync(`${folder}/#a.txt#`, text);
    rmSync(`${folder}/a.txt~`, { force: true });
    linkSync(`${folder}/a.txt`, `${folder}/a.txt~`);
    unlinkSync(`${folder}/a.txt`);
    writeFileSync(`${folder}/a.txt`, text);
    unlinkSync(`${folder}/#a.txt#`);
    unlinkSync(`${folder}/.#a.txt`);
    unlinkSync(`${folder}/a.txt~`);
  },
  "delete and make again": (folder, text) => {
    unlinkSync(`${folder}/a.txt`);
    writeFileSync(`${folder}/a.txt`, text);
  },
};

test("each way in which editors save a file makes its targets once, and lock, swap and backup files make nothing (trap 57)", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  for (const round of [1, 2, 3]) {
    for (const [way, save] of Object.entries(SAVES)) {
      const from = watch.told.length;
      save(join(root, "source"), `${way} ${round}\n`);
      await becomes(root, "out/all.txt", (text) => text.includes(`${way} ${round}\n`));
      await watch.tells(/made in/, from);
      assert.equal(
        [
          timesMade(watch, "out/copy.txt", from),
          timesMade(watch, "out/all.txt", from),
          timesFailed(watch, from),
        ],
        [1, 1, 0],
        `${way}\n${watch.told.slice(from)}`,
      );
    }
  }
  assert.not.match(watch.told, "DP001");
  await endsRight(watch, root);
});

test("a file that is away for 30 ms while it is saved is made once, and not told as missing (trap 57)", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  for (const round of [1, 2, 3]) {
    const from = watch.told.length;
    unlinkSync(join(root, "source/a.txt"));
    await wait(30);
    put(root, "source/a.txt", `back ${round}\n`);
    await becomes(root, "out/copy.txt", (text) => text === `back ${round}\n`);
    await watch.tells(/made in/, from);
    assert.equal(
      [timesMade(watch, "out/copy.txt", from), timesFailed(watch, from)],
      [1, 0],
      watch.told.slice(from),
    );
  }
  await endsRight(watch, root);
});

test("new files for a glob are seen, in known folders, in new ones and in ones that were removed and made again (trap 62)", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  put(root, "source/b.txt", "b");
  await becomes(root, "out/all.txt", (text) => text.includes("source/b.txt: b"));
  put(root, "source/deep/deeper/c.txt", "c");
  await becomes(root, "out/all.txt", (text) => text.includes("deeper/c.txt: c"));
  put(root, "source/deep/deeper/c.txt", "changed");
  await becomes(root, "out/all.txt", (text) => text.includes("deeper/c.txt: changed"));
  rmSync(join(root, "source/deep"), { recursive: true });
  await becomes(root, "out/all.txt", (text) => !text.includes("deeper"));
  put(root, "source/deep/deeper/c.txt", "again");
  await becomes(root, "out/all.txt", (text) => text.includes("deeper/c.txt: again"));
  renameSync(join(root, "source/deep"), join(root, "source/moved"));
  await becomes(
    root,
    "out/all.txt",
    (text) => text.includes("moved/deeper/c.txt: again") && !text.includes("source/deep"),
  );
  put(root, "source/moved/deeper/c.txt", "moved and changed");
  await becomes(root, "out/all.txt", (text) => text.includes("moved and changed"));
  await endsRight(watch, root);
});

test("a new folder and a file in it at once are seen, and so is what is put there a moment later, 20 times of 20 (trap 62)", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  for (let round = 0; round < 20; round++) {
    const folder = `source/new-${round}/${round % 2 === 0 ? "" : "deep/"}`;
    mkdirSync(join(root, folder), { recursive: true });
    // At once, after a turn, and after some: the watch of the new folder may be there or not.
    for (let turn = 0; turn < round % 5; turn++) {
      await wait(1);
    }
    put(root, `${folder}first.txt`, `first ${round};`);
    await becomes(root, "out/all.txt", (text) => text.includes(`first ${round};`));
    put(root, `${folder}second.txt`, `second ${round};`);
    await becomes(root, "out/all.txt", (text) => text.includes(`second ${round};`));
  }
  await endsRight(watch, root);
});

test("a burst of saves makes few builds, and the last content wins", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  for (let n = 0; n < 50; n++) {
    put(root, `source/file-${n}.txt`, "first");
  }
  for (let n = 0; n < 50; n++) {
    put(root, `source/file-${n}.txt`, `last ${n}`);
  }
  await becomes(root, "out/all.txt", (text) => text.match(/last \d+/g)?.length === 50);
  assert.ok(timesMade(watch, "out/all.txt") <= 6, watch.told);
  await endsRight(watch, root);
});

test("a file that flaps every 20 ms makes at most one build for each save, none is left over, and the last content wins (trap 65)", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  const from = watch.told.length;
  const flaps = 150;
  for (let flap = 1; flap <= flaps; flap++) {
    put(root, "source/a.txt", `flap ${flap}\n`);
    await wait(20);
  }
  await becomes(root, "out/copy.txt", (text) => text === `flap ${flaps}\n`, 2000);
  await watch.tells(/made in.*\n$/, from);
  const made = timesMade(watch, "out/copy.txt", from);
  assert.ok(made <= flaps, `${made} builds for ${flaps} saves`);
  await endsRight(watch, root);
});

test.run();
