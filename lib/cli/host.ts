import { spawnSync } from "node:child_process";
import type { Context } from "../context.ts";
import type { Host, Program, RecipeContext } from "../engine/index.ts";
import { settingsReader } from "../engine/index.ts";
import type { Renderer } from "../render/index.ts";
import { readSettings, settingsView } from "../settings/index.ts";

/** The project as the engine sees it: settings.ini behind the typed view, templates behind `render`. */
export function projectHost(program: Program, dofile: string): Host {
  const settings = settingsView(settingsReader);
  let renderer: Renderer | undefined;
  let known: ReadonlySet<string> | undefined;
  return {
    program,
    dofile,
    settings: { file: "settings.ini", read: readSettings },
    settingsView: () => settings,
    load: async () => {
      renderer ??= (await import("../render/index.ts")).createRenderer();
    },
    context: (context: RecipeContext): Context => ({
      ...context,
      settings,
      render: (template, values) => renderer!.render(template, values, { read: (path) => context.readIfExists(path)?.text }),
    }),
    mayReplace: (root, name) => {
      known ??= namesInGit(root);
      return !known.has(name);
    },
    banner: (content) => (content.value("aws.account") === "sandbox" ? "SANDBOX" : ""),
  };
}

/** The files that git tracks or would track. None where there is no git or no repository. */
function namesInGit(root: string): ReadonlySet<string> {
  const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 30 });
  return new Set((stdout ?? "").split("\0").filter((name) => name !== ""));
}
