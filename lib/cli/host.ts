import { spawnSync } from "node:child_process";
import { keptMarker, worldOf } from "../account/world.ts";
import type { Context } from "../context.ts";
import { dofileOf, refuseOtherWriters, settingsReader, type Program } from "../dofile/index.ts";
import { leadsOut, type GitStatus, type Host, type RecipeContext } from "../engine/index.ts";
import { engineFolder, environmentName } from "../layout.ts";
import type { Renderer } from "../render/index.ts";
import { readSettings, settingsView } from "../settings/index.ts";

/** What of lib/index.ts declares steps. */
const DECLARES = [
  "rule",
  "fact",
  "effect",
  "accountEffect",
  "terraformModule",
  "registeredCore",
  "registeredThing",
];

/** The project as the engine sees it: settings.ini behind the typed view, templates behind `render`. */
export function projectHost(program: Omit<Program, "declares">, dofile: string): Host {
  const settings = settingsView(settingsReader);
  let renderer: Renderer | undefined;
  /** Templates that nobody else can write. */
  const checked = new Set<string>();
  let git: ((name: string) => GitStatus) | undefined;
  return {
    variant: engineFolder(),
    program: program.digest,
    dofile: dofileOf({ ...program, declares: DECLARES }, dofile, settings),
    settings: {
      file: "settings.ini",
      read: (path, shownAs, reading) => readSettings(path, shownAs, environmentName(), reading),
    },
    load: async () => {
      renderer ??= (await import("../render/index.ts")).createRenderer();
    },
    context: (context: RecipeContext): Context => ({
      ...context,
      settings,
      render: (template, values) =>
        renderer!.render(template, values, {
          read: (path) => {
            if (!checked.has(path)) {
              refuseOtherWriters(context.root, [path]);
              checked.add(path);
            }
            return context.readIfExists(path)?.text;
          },
          leaves: (path) => leadsOut(context.root, path),
        }),
    }),
    gitStatus: (root, name) => (git ??= askGit(root))(name),
    invalidate: () => {
      git = undefined;
      checked.clear();
    },
    world: worldOf,
    keptMarker,
    banner: (content) =>
      [environmentName(), content.value("aws.account") === "sandbox" ? "SANDBOX" : ""]
        .filter((word) => word !== "")
        .join(" "),
  };
}

/** What git says of the files of a project; "unknown" of all where there is no git or no repository. */
export function askGit(root: string): (name: string) => GitStatus {
  const list = (...which: string[]): ReadonlySet<string> | undefined => {
    const { status, stdout } = spawnSync("git", ["ls-files", "-z", ...which], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 30,
    });
    return status === 0 ? new Set(stdout.split("\0")) : undefined;
  };
  const [tracked, untracked] = [list("--cached"), list("--others", "--exclude-standard")];
  if (tracked === undefined || untracked === undefined) {
    return () => "unknown";
  }
  return (name) => {
    if (tracked.has(name)) {
      return "tracked";
    }
    return untracked.has(name) ? "untracked" : "ignored";
  };
}
