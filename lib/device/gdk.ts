import { basename } from "node:path";
import { zipSync } from "fflate";
import { ProblemError, shown } from "../problem/index.ts";
import type { Artifact } from "./component-recipe.ts";
import { GDK_CONFIG, type FolderFile } from "./component-folder.ts";

/** A component as the rest knows it: its recipe without placeholders, and its artifacts. */
export interface GdkComponent {
  readonly name: string;
  /** The recipe's file, relative to the folder. */
  readonly file: string;
  readonly recipe: string;
  readonly artifacts: readonly Artifact[];
}

/** What the kit leaves out of its zip, beside the recipe, its own file and its build folder. */
const USUAL_EXCLUDES = ["test*", ".*", "node_modules"];

/** An archive's entries have a time; this one, the first that a zip can tell, keeps equal contents equal. */
const ZIP_TIME = new Date(1980, 0, 1);

interface Config {
  readonly component?: Readonly<
    Record<
      string,
      {
        readonly author?: string;
        readonly version?: string;
        readonly build?: {
          readonly build_system?: string;
          readonly options?: { readonly excludes?: readonly string[] };
        };
      }
    >
  >;
}

/**
 * A folder that `gdk component init` made, as it is: the placeholders of its recipe are filled in, and what
 * `gdk component build` would zip is zipped (aws-greengrass-gdk-cli, build system zip).
 * @throws ProblemError (exit 2) where its configuration or recipe is none, or another build system makes the artifacts.
 */
export function gdkComponent(folder: string, files: readonly FolderFile[]): GdkComponent {
  const location = { file: `${folder}/${GDK_CONFIG}` };
  const problem = (what: string, fix: string): ProblemError =>
    new ProblemError([{ code: "DP641", location, what, fix }]);
  const textOf = (path: string): string | undefined => {
    const found = files.find((one) => one.path === path);
    return found === undefined ? undefined : Buffer.from(found.bytes).toString("utf8");
  };
  let config: Config;
  try {
    config = JSON.parse(textOf(GDK_CONFIG) ?? "") as Config;
  } catch (error) {
    throw problem(`it is not JSON: ${(error as Error).message}`, "correct it");
  }
  const [[name, said] = []] = Object.entries(config.component ?? {});
  if (name === undefined || said === undefined) {
    throw problem("it names no component", `add "component": { "com.example.Name": { … } }`);
  }
  const { build_system: system = "zip", options = {} } = said.build ?? {};
  if (system !== "zip") {
    throw problem(
      `its build system is ${shown(system)}`,
      "only zip is built here; for another one put what it makes into artifacts/ of a folder without gdk-config.json",
    );
  }
  const file = ["recipe.yaml", "recipe.json", "recipe.yml"].find((one) => textOf(one) !== undefined);
  if (file === undefined) {
    throw problem("there is no recipe.yaml or recipe.json beside it", "add it");
  }
  const [, major = "1", minor = "0"] = /^(\d+)\.(\d+)/.exec(said.version ?? "") ?? [];
  const recipe = (textOf(file) ?? "")
    .replaceAll(/s3:\/\/BUCKET_NAME\/COMPONENT_NAME\/COMPONENT_VERSION\//g, "artifacts/")
    .replaceAll("{COMPONENT_NAME}", name)
    .replaceAll("{COMPONENT_VERSION}", `${major}.${minor}.0`)
    .replaceAll("{COMPONENT_AUTHOR}", said.author ?? "");
  const excluded = [GDK_CONFIG, "greengrass-build", file, ...(options.excludes ?? USUAL_EXCLUDES)].map(
    patternOf,
  );
  const kept = files.filter(({ path }) => {
    const parts = path.split("/");
    return !excluded.some((pattern) => pattern.test(path) || parts.some((part) => pattern.test(part)));
  });
  const bytes = zipSync(
    Object.fromEntries(kept.map((one) => [one.path, [one.bytes, { mtime: ZIP_TIME }] as const])) as never,
  );
  return { name, file, recipe, artifacts: [{ path: `artifacts/${basename(folder)}.zip`, bytes }] };
}

/** A shell's pattern for one name. */
function patternOf(glob: string): RegExp {
  const source = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}
