import { Kind, type Observer } from "../engine/index.ts";

/** The program that evaluates Dofiles, as their bundles depend on it. */
export interface Program {
  /** The module that `import … from "dospesos"` gets: a file URL. */
  readonly api: string;
  /** Changes when anything changes that recipes can call. */
  readonly digest: string;
  /** The functions of the API that declare steps. */
  readonly declares: readonly string[];
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
  /** The modules that import what declares steps, whether they declare any with these settings or not. */
  readonly declaring: readonly string[];
  /** The first line in the bundle of each module, ascending. */
  readonly lines: readonly (readonly [number, string])[];
}

export function currentDigest(observer: Observer, name: string): string {
  const { state } = observer;
  return state.digests[observer.current(state.node(Kind.file, name))]!;
}
