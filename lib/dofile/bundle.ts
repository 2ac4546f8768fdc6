import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Program, type Bundle, currentDigest } from "./program.ts";
import { build } from "./compile.ts";
import { replaceFile } from "../file/index.ts";
import {
  digestOfList,
  Kind,
  STATE_FOLDER,
  type DigestId,
  type NodeId,
  type Observer,
} from "../engine/index.ts";

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
): Promise<{ bundle: Bundle; dispose: () => void }> {
  const cache = join(observer.root, STATE_FOLDER, "cache");
  const cached = readCached(observer, program, join(cache, "dofile.json"));
  if (cached !== undefined) {
    return { bundle: { ...cached, path: join(cache, cached.path) }, dispose: () => {} };
  }
  const folder = keep ? cache : mkdtempSync(join(tmpdir(), "dospesos-"));
  const discard = (): void => (keep ? undefined : rmSync(folder, { recursive: true, force: true }));
  const { code, ...bundle } = await build(observer, program, dofile, folder).catch((error: unknown) => {
    discard();
    throw error;
  });
  const name = bundleName(code);
  if (keep) {
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true, mode: 0o700 });
  }
  replaceFile(join(folder, name), code, { mode: 0 });
  if (keep) {
    replaceFile(join(cache, "dofile.json"), JSON.stringify({ ...bundle, path: name, program }), { mode: 0 });
  }
  return {
    bundle: { ...bundle, path: join(folder, name) },
    dispose: discard,
  };
}

/** The name says what is in it: a bundle that was damaged or replaced is not run. */
function bundleName(code: string): string {
  return `dofile-${digestOfList([code])}.mjs`;
}

function readCached(observer: Observer, program: Program, path: string): Bundle | undefined {
  try {
    const cached = JSON.parse(readFileSync(path, "utf8")) as Bundle & { program: Program };
    const code = readFileSync(join(dirname(path), cached.path), "utf8");
    if (bundleName(code) !== cached.path) {
      return undefined;
    }
    const same = cached.program.api === program.api && cached.program.digest === program.digest;
    return same && cached.inputs.every(([name, digest]) => currentDigest(observer, name) === digest)
      ? cached
      : undefined;
  } catch {
    // Missing, cut or of another version: it is only a cache.
    return undefined;
  }
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
