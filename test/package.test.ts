// What `npm pack` brings along runs without the sources, in a project that has only a Dofile.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freshClone, repository } from "./support/clone.ts";
import { tempFolder } from "./support/temp.ts";

test("the packed package builds a project and gives its types, without its sources", () => {
  const clone = freshClone();
  const folder = tempFolder("package");
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: clone.root,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const project = join(folder, "project");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", join(project, "node_modules")]);
  const installed = join(project, "node_modules", "package");
  assert.not(existsSync(join(installed, "lib", "engine")));
  assert.match(
    readFileSync(join(installed, "dist", "types", "index.d.ts"), "utf8"),
    "export declare function project",
  );
  for (const name of readdirSync(join(repository, "node_modules"))) {
    if (!name.startsWith(".")) {
      symlinkSync(join(repository, "node_modules", name), join(project, "node_modules", name));
    }
  }
  writeFileSync(
    join(project, "Dofile.ts"),
    'import { project, rule } from "dospesos";\nexport default project(() => [rule({ target: "out.txt", recipe: () => "made\\n" })]);\n',
  );
  const build = (): string =>
    spawnSync(process.execPath, [join(installed, "lib", "cli", "bin.cjs"), "build"], {
      cwd: project,
      encoding: "utf8",
    }).stderr;
  assert.match(build(), "out.txt");
  assert.is(readFileSync(join(project, "out.txt"), "utf8"), "made\n");
  assert.match(build(), "nothing to do");
});

test.run();
