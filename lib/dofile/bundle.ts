import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, Loader, Message, Metafile, PluginBuild } from "esbuild";
import {
  digestOfList,
  fileName,
  fullPath,
  Kind,
  STATE_FOLDER,
  type DigestId,
  type NodeId,
  type Observer,
} from "../engine/index.ts";
import { ProblemError, type Problem } from "../problem/index.ts";

/** The program that evaluates Dofiles, as their bundles depend on it. */
export interface Program {
  /** The module that `import … from "dospesos"` gets: a file URL. */
  readonly api: string;
  /** Changes when anything changes that recipes can call. */
  readonly digest: string;
}

/** A Dofile and what it imports, as one module ready to be imported. */
export interface Bundle {
  readonly path: string;
  readonly dofile: string;
  /** The digest of the Dofile's own code, which comments and line breaks do not change. */
  readonly dofileCode: string;
  /** The modules of the project in it, and the package.json of each package that it uses: name and digest. */
  readonly inputs: readonly (readonly [string, string])[];
  /** What each module of the project imports: modules, and the package.json of packages. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** The first line in the bundle of each module, ascending. */
  readonly lines: readonly (readonly [number, string])[];
}

/** The package.json of each package that a module imports. */
type Packages = Map<string, string[]>;

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

/**
 * The bundle of a Dofile: the cached one if none of its modules changed, or a new one by esbuild. With `keep`
 * it is put into the cache under .dospesos; without, into a temporary folder that `dispose` removes (commands
 * that write nothing). Throws a ProblemError (exit 2) with every error that esbuild found.
 */
export async function bundleDofile(
  observer: Observer,
  program: Program,
  dofile: string,
  keep: boolean,
): Promise<{ bundle: Bundle; dispose(): void }> {
  const cache = join(observer.root, STATE_FOLDER, "cache");
  const cached = readCached(observer, program, join(cache, "dofile.json"));
  if (cached !== undefined) {
    return { bundle: { ...cached, path: join(cache, cached.path) }, dispose: () => {} };
  }
  const folder = keep ? cache : mkdtempSync(join(tmpdir(), "dospesos-"));
  const { code, ...bundle } = await build(observer, program, dofile, folder);
  const name = `dofile-${digestOfList([code]).slice(0, 16)}.mjs`;
  if (keep) {
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
  }
  putAtomically(join(folder, name), code);
  if (keep) {
    putAtomically(join(cache, "dofile.json"), JSON.stringify({ ...bundle, path: name, program }));
  }
  return {
    bundle: { ...bundle, path: join(folder, name) },
    dispose: () => (keep ? undefined : rmSync(folder, { recursive: true, force: true })),
  };
}

function readCached(observer: Observer, program: Program, path: string): Bundle | undefined {
  try {
    const cached = JSON.parse(readFileSync(path, "utf8")) as Bundle & { program: Program };
    readFileSync(join(dirname(path), cached.path));
    const same = cached.program.api === program.api && cached.program.digest === program.digest;
    return same && cached.inputs.every(([name, digest]) => currentDigest(observer, name) === digest)
      ? cached
      : undefined;
  } catch {
    // Missing, cut or of another version: it is only a cache.
    return undefined;
  }
}

function putAtomically(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

async function build(
  observer: Observer,
  program: Program,
  dofile: string,
  folder: string,
): Promise<Omit<Bundle, "path"> & { code: string }> {
  const esbuild = await import("esbuild");
  const packages: Packages = new Map();
  const result = await esbuild
    .build({
      entryPoints: [fullPath(observer.root, dofile)],
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
          setup: (build) => modules(build, observer, program, packages, esbuild.transform),
        },
      ],
    })
    .catch((error: unknown) => {
      throw new ProblemError(messagesOf(error).map(esbuildProblem));
    });
  const code = result.outputFiles[0]!.text;
  const own = Object.keys(result.metafile.inputs);
  const inputs = [...own, ...new Set([...packages.values()].flat())].map(
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
    imports: importsOf(result.metafile, packages),
    lines: linesOf(code, new Set(own)),
  };
}

function modules(
  build: PluginBuild,
  observer: Observer,
  program: Program,
  packages: Packages,
  transform: typeof import("esbuild").transform,
): void {
  build.onResolve({ filter: /^dospesos$/ }, () => ({ path: program.api, external: true }));
  // Packages stay outside, by their absolute address: the bundle does not stand where its sources do.
  build.onResolve({ filter: /^[^./]/ }, async (args) => {
    if (args.pluginData === "inside" || args.kind === "entry-point" || args.path.startsWith("node:")) {
      return undefined;
    }
    const found = await build.resolve(args.path, {
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
    const used = packages.get(importer) ?? [];
    packages.set(importer, used);
    for (
      let folder = dirname(found.path);
      basename(folder) !== "node_modules" && folder !== dirname(folder);
      folder = dirname(folder)
    ) {
      used.push(fileName(observer.root, join(folder, "package.json")));
    }
    return { path: pathToFileURL(found.path).href, external: true };
  });
  build.onLoad({ filter: /.*/, namespace: "file" }, async (args) => {
    const loader = LOADERS[extname(args.path)];
    const content = observer.read(observer.state.node(Kind.file, fileName(observer.root, args.path)));
    if (loader === undefined || content === undefined) {
      return undefined;
    }
    const text = Buffer.from(content.bytes).toString("utf8");
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

function currentDigest(observer: Observer, name: string): string {
  const { state } = observer;
  return state.digests[observer.current(state.node(Kind.file, name))]!;
}

function importsOf(metafile: Metafile, packages: Packages): Record<string, readonly string[]> {
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

export function moduleAt(bundle: Bundle, line: number): string | undefined {
  let found: string | undefined;
  for (const [first, name] of bundle.lines) {
    if (first > line) {
      break;
    }
    found = name;
  }
  return found;
}

/**
 * The digest of the code that the steps of some modules can be made of: they, and all that they import. The
 * Dofile may hand to them what it makes itself, and what it gets from modules that declare no steps: these
 * count for every step.
 */
export function codeDigest(
  bundle: Bundle,
  program: Program,
  origins: readonly string[],
  declaring: ReadonlySet<string>,
): string {
  const digests = new Map(bundle.inputs).set(bundle.dofile, bundle.dofileCode);
  const code = new Set([bundle.dofile]);
  for (const module of code) {
    for (const imported of bundle.imports[module] ?? []) {
      if (!declaring.has(imported)) {
        code.add(imported);
      }
    }
  }
  const closure = new Set(origins);
  for (const module of closure) {
    for (const imported of bundle.imports[module] ?? []) {
      closure.add(imported);
    }
  }
  return digestOfList([
    program.digest,
    ...[...new Set([...code, ...closure])].sort().flatMap((name) => [name, digests.get(name) ?? ""]),
  ]);
}

/** The files that a bundle was made of, as prerequisites of the graph. */
export function bundleEdges(bundle: Bundle, observer: Observer): Map<NodeId, DigestId> {
  const { state } = observer;
  return new Map(bundle.inputs.map(([name, digest]) => [state.node(Kind.file, name), state.digest(digest)]));
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
