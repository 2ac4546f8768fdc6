import { dirname, posix } from "node:path";
import {
  fileName,
  fullPath,
  Digest,
  Kind,
  makerOf,
  type Changes,
  type NodeId,
  type Session,
} from "../engine/index.ts";
import { linksAt } from "./links.ts";

export interface Followed {
  readonly folders: ReadonlySet<string>;
  /** Whether something was made from this very file. */
  isSource: (path: string) => boolean;
  /**
   * Whether a change of this path can matter: a log that is written in a watched folder must not start
   * builds.
   */
  concerns: (path: string) => boolean;
  /** The links by whose names something was made from this very file. */
  linksTo: (path: string) => readonly string[];
}

/** Where the files of a session lead that are links; of most files nothing. Looking at each costs a call. */
const known = new WeakMap<Session, Map<NodeId, readonly string[]>>();

/**
 * The folders of everything that a project was made from, those that its globs search, and the ones of the
 * project above them: where a folder is missing, moved or made again, it is the one above it that tells. A file
 * that is a link is followed to where it leads. `changed`: what may be another link since the last call.
 */
export function whatToWatch(session: Session, changed: Changes): Followed {
  const { root, state } = session;
  const linked = knownLinks(session, changed);
  const names = new Map<string, string[]>();
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
    const path = fullPath(root, name);
    let ends = linked.get(node);
    if (ends === undefined) {
      linked.set(node, (ends = isFolder ? [] : linksAt(path)));
    }
    for (const end of ends) {
      add(dirname(end));
      names.set(end, [...(names.get(end) ?? []), path]);
    }
  }
  const isSource = (path: string): boolean => {
    const node = state.find(Kind.file, fileName(root, path));
    return node !== undefined && isUsed(node);
  };
  return {
    folders,
    isSource,
    concerns: (path) => isSource(path) || names.has(path) || folders.has(path) || searched.has(dirname(path)),
    linksTo: (path) => names.get(path) ?? [],
  };
}

function knownLinks(session: Session, changed: Changes): Map<NodeId, readonly string[]> {
  const links = changed === "all" ? undefined : known.get(session);
  if (links === undefined) {
    const none = new Map<NodeId, readonly string[]>();
    known.set(session, none);
    return none;
  }
  for (const path of changed) {
    const node = session.state.find(Kind.file, fileName(session.root, path));
    if (node !== undefined) {
      links.delete(node);
    }
  }
  return links;
}
