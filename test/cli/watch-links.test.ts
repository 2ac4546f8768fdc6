// Files that are links: what is followed is the file that is read (A5).
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { becomes, projectOf, SETTINGS } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { endsRight, watching } from "../support/watching.ts";

const DOFILE = `import { file, project, rule } from "dospesos";
export default project(({ settings }) => [
  rule({ target: "out/group", recipe: () => settings.cores.get("a").group }),
  rule({ target: "out/copy", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text }),
]);
`;

const groupOf = (name: string): string => SETTINGS.replace("group = one", `group = ${name}`);

test("edits of the files that links lead to are seen, also saved by rename, through two links, and behind a new link (A5)", async () => {
  const shared = tempFolder("shared");
  const at = (name: string): string => join(shared, name);
  const root = projectOf(DOFILE, { "source.txt": "" });
  writeFileSync(at("settings.ini"), groupOf("first"));
  writeFileSync(at("text"), "first");
  writeFileSync(at("other"), "other");
  rmSync(join(root, "settings.ini"));
  rmSync(join(root, "source.txt"));
  symlinkSync(at("settings.ini"), join(root, "settings.ini"));
  symlinkSync("text", at("link"));
  symlinkSync(at("link"), join(root, "source.txt"));
  const watch = await watching(root);
  await becomes(root, "out/group", (text) => text === "first");

  writeFileSync(at("settings.ini"), groupOf("second"));
  await becomes(root, "out/group", (text) => text === "second");
  writeFileSync(at("settings.ini.new"), groupOf("third"));
  renameSync(at("settings.ini.new"), at("settings.ini"));
  await becomes(root, "out/group", (text) => text === "third");
  writeFileSync(at("settings.ini"), groupOf("fourth"));
  await becomes(root, "out/group", (text) => text === "fourth");

  writeFileSync(at("text"), "second");
  await becomes(root, "out/copy", (text) => text === "second");
  symlinkSync("other", at("link.new"));
  renameSync(at("link.new"), at("link"));
  await becomes(root, "out/copy", (text) => text === "other");
  writeFileSync(at("other"), "other 2");
  await becomes(root, "out/copy", (text) => text === "other 2");
  await endsRight(watch, root);
});

test("an edit in the middle of the build that finds a new link's end is seen", async () => {
  const shared = tempFolder("shared");
  const at = (name: string): string => join(shared, name);
  const root = projectOf(
    `import { once } from "node:events";
import { watch, writeFileSync } from "node:fs";
import { file, project, rule } from "dospesos";
export default project(() => {
  const copy = rule({ target: "out/copy", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text });
  const edit = rule({
    target: "out/edit",
    needs: { copy },
    async recipe({ copy }) {
      if (copy.text === "other") {
        const seen = watch(${JSON.stringify(at("other"))});
        writeFileSync(${JSON.stringify(at("other"))}, "other 2");
        await once(seen, "change");
        seen.close();
      }
      return copy.text;
    },
  });
  return [copy, edit];
});
`,
    { "source.txt": "" },
  );
  writeFileSync(at("text"), "first");
  writeFileSync(at("other"), "other");
  rmSync(join(root, "source.txt"));
  symlinkSync(at("text"), join(root, "source.txt"));
  const watch = await watching(root);
  await becomes(root, "out/copy", (text) => text === "first");
  symlinkSync(at("other"), join(root, "link.new"));
  renameSync(join(root, "link.new"), join(root, "source.txt"));
  await becomes(root, "out/edit", (text) => text === "other 2");
  await endsRight(watch, root);
});

test.run();
