import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, Loader, Message, Metafile, PluginBuild } from "esbuild";
import { digestOfList, fileName, fullPath, Kind, type Observer } from "../engine/index.ts";
import { ProblemError, type Problem } from "../problem/index.ts";
import { filesOf, keepOutside, type UsedPackages } from "./packages.ts";
import { type Program, type Bundle, currentDigest } from "./program.ts";

type Transform = typeof import("esbuild").transform;

const LOADERS: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".json": "json",
  ".txt": "text",
  ".pem": "text",
};

export async function build(
  observer: Observer,
  program: Program,
  dofile: string,
  folder: string,
): Promise<Omit<Bundle, "path"> & { code: string }> {
  const esbuild = await import("esbuild");
  const packages: UsedPackages = new Map();
  const declaring = new Set<string>();
  const result = await esbuild
    .build({
      // Not the path: esbuild takes a star in it for a pattern.
      entryPoints: ["dofile"],
      absWorkingDir: observer.root,
      outfile: join(folder, "dofile.mjs"),
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      target: "node20",
      conditions: ["node", "import"],
      sourcemap: "inline",
      sourcesContent: false,
      legalComments: "none",
      logLevel: "silent",
      charset: "utf8",
      // What the bundle is made of is the modules alone: a tsconfig.json cannot change it unseen.
      tsconfigRaw: "{}",
      plugins: [
        {
          name: "dospesos",
          setup: (plugin) => {
            plugin.onResolve({ filter: /^dofile$/ }, ({ kind }) =>
              kind === "entry-point" ? { path: fullPath(observer.root, dofile) } : undefined,
            );
            plugin.onResolve({ filter: /^dospesos$/ }, () => ({ path: program.api, external: true }));
            keepOutside(plugin, observer, packages);
            loadModules(plugin, observer, program, declaring, esbuild.transform);
          },
        },
      ],
    })
    .catch((error: unknown) => {
      throw new ProblemError(messagesOf(error).map(esbuildProblem));
    });
  const code = result.outputFiles[0]!.text;
  const own = Object.keys(result.metafile.inputs);
  const used = await filesOf(observer, packages, esbuild);
  const inputs = [...own, ...new Set([...used.values()].flat())].map(
    (name) => [name, currentDigest(observer, name)] as const,
  );
  const source = await esbuild.transform(observer.read(observer.state.node(Kind.file, dofile))!.bytes, {
    loader: LOADERS[extname(dofile)]!,
    minifyWhitespace: true,
    legalComments: "none",
  });
  return {
    code,
    dofile,
    dofileCode: digestOfList([source.code]),
    inputs,
    imports: importsOf(result.metafile, used),
    declaring: [...declaring].sort(),
    lines: linesOf(code, new Set(own)),
  };
}

function loadModules(
  plugin: PluginBuild,
  observer: Observer,
  program: Program,
  declaring: Set<string>,
  transform: Transform,
): void {
  plugin.onLoad({ filter: /.*/, namespace: "file" }, async (args) => {
    const loader = LOADERS[extname(args.path)];
    const name = fileName(observer.root, args.path);
    const content = observer.read(observer.state.node(Kind.file, name));
    if (loader === undefined || content === undefined) {
      return undefined;
    }
    const text = Buffer.from(content.bytes).toString("utf8");
    if (await importsAny(text, loader, program.declares, transform)) {
      declaring.add(name);
    }
    if (!text.includes("import.meta.")) {
      return { contents: text, loader };
    }
    // A module that asks where it stands means its source, not the bundle.
    const define = {
      "import.meta.url": JSON.stringify(pathToFileURL(args.path).href),
      "import.meta.filename": JSON.stringify(args.path),
      "import.meta.dirname": JSON.stringify(dirname(args.path)),
    };
    const moved = await transform(text, {
      loader,
      define,
      target: "node20",
      sourcefile: args.path,
      sourcemap: "inline",
      sourcesContent: false,
      format: "esm",
    });
    return { contents: moved.code, loader: "js" };
  });
}

/** Whether a module imports one of these names from the API, or all of it, as values. */
async function importsAny(
  text: string,
  loader: Loader,
  names: readonly string[],
  transform: Transform,
): Promise<boolean> {
  if (!text.includes("dospesos") || (loader !== "ts" && loader !== "tsx" && loader !== "js")) {
    return false;
  }
  // Compiled, an import is on one line and has no types. What cannot be compiled is reported by the build.
  const { code } = await transform(text, { loader, minifyWhitespace: true }).catch(() => ({ code: "" }));
  return [...code.matchAll(/\bimport\b([^;"]*)\bfrom"dospesos"/g)].some(
    ([, what = ""]) =>
      what.includes("*") ||
      (what.match(/[\w$]+(?=\s+as\b|[,}])/g) ?? []).some((name) => names.includes(name)),
  );
}

function importsOf(
  metafile: Metafile,
  packages: ReadonlyMap<string, readonly string[]>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(metafile.inputs).map(([name, input]) => {
      const modules = input.imports
        .filter((one) => one.external !== true && one.path in metafile.inputs)
        .map((one) => one.path);
      return [name, [...modules, ...(packages.get(name) ?? [])]];
    }),
  );
}

/** esbuild writes `// name` above the code of each module. */
function linesOf(code: string, own: ReadonlySet<string>): [number, string][] {
  return code
    .split("\n")
    .flatMap((line, index): [number, string][] =>
      line.startsWith("// ") && own.has(line.slice(3)) ? [[index + 1, line.slice(3)]] : [],
    );
}

function messagesOf(error: unknown): readonly Message[] {
  const failure = error as Partial<BuildFailure>;
  if (failure.errors === undefined) {
    throw error;
  }
  return failure.errors;
}

function esbuildProblem(message: Message): Problem {
  const { location } = message;
  const at =
    location === null
      ? {}
      : { location: { file: location.file, line: location.line, column: location.column + 1 } };
  return {
    code: "DP240",
    ...at,
    what: message.text,
    ...(location === null ? {} : { why: `at: ${location.lineText.trim().slice(0, 120)}` }),
  };
}
