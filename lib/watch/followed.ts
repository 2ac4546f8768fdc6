import { dirname, posix } from "node:path";
import { fileName, fullPath, Digest, Kind, makerOf, type NodeId, type Session } from "../engine/index.ts";

export interface Followed {
  readonly folders: ReadonlySet<string>;
  /** Whether something was made from this very file. */
  isSource: (path: string) => boolean;
  /**
   * Whether a change of this path can matter: a log that is written in a watched folder must not start
   * builds.
   */
  concerns: (path: string) => boolean;
}

/**
 * The folders of everything that a project was made from, those that its globs search, and the ones of the
 * project above them: where a folder is missing, moved or made again, it is the one above it that tells.
 */
export function whatToWatch({ root, state }: Session): Followed {
  const folders = new Set([root]);
  const searched = new Set<string>();
  const isUsed = (node: NodeId): boolean =>
    state.nodeDigest[node] !== Digest.unknown &&
    (state.graph === undefined || makerOf(state.graph, node) === undefined);
  const add = (folder: string): void => {
    for (let at = folder; !folders.has(at); at = dirname(at)) {
      folders.add(at);
      if (!at.startsWith(`${root}/`)) {
        break;
      }
    }
  };
  let last = "";
  for (let node = 1; node < state.nodeName.length; node++) {
    if (state.nodeKind[node] !== Kind.file || !isUsed(node)) {
      continue;
    }
    const name = state.nodeName[node]!;
    const isFolder = state.nodeDigest[node] === Digest.directory;
    if (isFolder) {
      searched.add(fullPath(root, name));
    }
    const folder = isFolder ? name : posix.dirname(name);
    if (folder !== last) {
      add(fullPath(root, folder));
    }
    last = folder;
  }
  const isSource = (path: string): boolean => {
    const node = state.find(Kind.file, fileName(root, path));
    return node !== undefined && isUsed(node);
  };
  return {
    folders,
    isSource,
    concerns: (path) => isSource(path) || folders.has(path) || searched.has(dirname(path)),
  };
}
