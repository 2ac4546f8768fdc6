import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { PluginBuild } from "esbuild";
import { fileName, fullPath, type Observer } from "../engine/index.ts";
import { ProblemError } from "../problem/index.ts";

/** The modules of packages that each module of the project imports, by absolute path. */
export type UsedPackages = Map<string, string[]>;

/** Packages stay outside of the bundle, by their absolute address: it does not stand where its sources do. */
export function keepOutside(plugin: PluginBuild, observer: Observer, used: UsedPackages): void {
  plugin.onResolve({ filter: /^[^./]/ }, async (args) => {
    if (args.pluginData === "inside" || args.kind === "entry-point" || args.path.startsWith("node:")) {
      return undefined;
    }
    const found = await plugin.resolve(args.path, {
      importer: args.importer,
      resolveDir: args.resolveDir,
      kind: args.kind,
      pluginData: "inside",
    });
    // A package that is linked into node_modules is a folder of somebody who edits it: its modules are
    // followed like the project's.
    if (found.errors.length > 0 || found.external || !/[\\/]node_modules[\\/]/.test(found.path)) {
      return found;
    }
    const importer = fileName(observer.root, args.importer);
    used.set(importer, [...(used.get(importer) ?? []), found.path]);
    return { path: pathToFileURL(found.path).href, external: true };
  });
}

/**
 * The files that the packages are made of which each module imports: their modules with all that these import in
 * turn, since anybody may patch one, and each package.json above them. What esbuild cannot follow counts by its own
 * file and by the list that npm, yarn or pnpm keeps of what it has installed.
 */
export async function filesOf(
  observer: Observer,
  used: UsedPackages,
  { build }: Pick<typeof import("esbuild"), "build">,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>();
  const closureOf = async (entry: string): Promise<readonly string[]> => {
    const { metafile, errors } = await build({
      entryPoints: [entry],
      absWorkingDir: observer.root,
      bundle: true,
      write: false,
      metafile: true,
      outdir: "out",
      format: "esm",
      platform: "node",
      conditions: ["node", "import"],
      loader: { ".node": "empty", ".wasm": "empty" },
      logLevel: "silent",
      tsconfigRaw: "{}",
    }).catch(() => ({ metafile: undefined, errors: [{}] }));
    const modules = Object.keys(metafile?.inputs ?? {}).map((name) => resolve(observer.root, name));
    const files = new Set([entry, ...modules]);
    for (const file of [...files]) {
      descriptionsOf(file, errors.length > 0).forEach((name) => files.add(name));
    }
    return [...files].map((file) => fileName(observer.root, file));
  };
  for (const entry of new Set([...used.values()].flat())) {
    known.set(entry, await closureOf(entry));
  }
  return new Map(
    [...used].map(([module, entries]) => [
      module,
      [...new Set(entries.flatMap((entry) => known.get(entry)!))].sort(),
    ]),
  );
}

/** The files of packages that this process has loaded, with their digests. */
const loaded = new Map<string, string>();

/**
 * Notes which packages a bundle loads. Node keeps a module for as long as it runs, so a process that lives (watch)
 * cannot see another version: throws a ProblemError (exit 2) where one is there.
 */
export function noteLoaded(root: string, inputs: readonly (readonly [string, string])[]): void {
  for (const [name, digest] of inputs) {
    if (!/(^|\/)node_modules\//.test(name)) {
      continue;
    }
    const before = loaded.get(fullPath(root, name)) ?? digest;
    loaded.set(fullPath(root, name), before);
    if (before !== digest) {
      throw new ProblemError([
        {
          code: "DP247",
          location: { file: name },
          what: "a package that the Dofile uses has changed since this process loaded it",
          why: "Node keeps what it has loaded, so the old code would run",
          fix: "start dospesos again",
        },
      ]);
    }
  }
}

/** What package managers write into node_modules about all that is in it. */
const LISTS = [".package-lock.json", ".yarn-state.yml", ".modules.yaml"];

/** Each package.json above a file, up to the folder node_modules; with `all` its lists, too. */
function descriptionsOf(file: string, all: boolean): string[] {
  const names: string[] = [];
  let folder = dirname(file);
  for (; basename(folder) !== "node_modules" && folder !== dirname(folder); folder = dirname(folder)) {
    names.push(join(folder, "package.json"));
  }
  return all
    ? [...names, ...LISTS.map((name) => join(folder, name)).filter((name) => existsSync(name))]
    : names;
}
