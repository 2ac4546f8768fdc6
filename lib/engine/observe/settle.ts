import { fullPath, look } from "../disk/files.ts";
import { passed, TICK, waitFor } from "../disk/ticks.ts";
import { Digest, type NodeId } from "../model.ts";
import type { Observer } from "./observe.ts";
import { digestOfFile } from "./observed-files.ts";

/**
 * At the end of a run: what was changed just before it was looked at is checked once more when a tick has
 * passed, so that the next run can trust its stat. What the file system's clock cannot tell apart stays racy.
 */
export async function settle(observer: Observer): Promise<void> {
  const { state, root } = observer;
  let wait = 0;
  const isSoon = (node: NodeId): boolean => {
    if (!state.stamps.isRacy(node)) {
      return false;
    }
    const left = waitFor(look(fullPath(root, state.nodeName[node]!), true));
    if (left > TICK) {
      return false;
    }
    wait = Math.max(wait, left + 1);
    return true;
  };
  const files: NodeId[] = [];
  for (let node = 1; node < state.nodeName.length; node++) {
    if (observer.wasSeen(node) && state.nodeDigest[node]! > Digest.special && isSoon(node)) {
      files.push(node);
    }
  }
  // Each folder is asked, since each adds to the wait.
  const globs = [...state.globFolders].filter(
    ([, folders]) =>
      folders.filter((folder) => state.nodeDigest[folder] === Digest.directory && isSoon(folder)).length > 0,
  );
  if (files.length + globs.length === 0) {
    return;
  }
  await passed(wait);
  for (const node of files) {
    settleFile(observer, node);
  }
  for (const [, folders] of globs) {
    folders.forEach((folder) => observer.forget(folder));
  }
  for (const [node] of globs) {
    settleGlob(observer, node);
  }
}

// The steps of this run were made from what was there before: where something else is there now, the next run
// must see it.
function settleFile({ state, root, isOutput }: Observer, node: NodeId): void {
  const path = fullPath(root, state.nodeName[node]!);
  const stat = look(path, !isOutput(node));
  const before = state.nodeDigest[node]!;
  const same =
    typeof stat === "object" &&
    stat.isFile() &&
    state.stamps.equals(node, stat) &&
    state.digests[before] === digestOfFile(path, stat);
  if (same) {
    state.observe(node, before, stat, waitFor(stat) > 0);
  } else {
    state.distrust(node);
  }
}

function settleGlob(observer: Observer, node: NodeId): void {
  const { state } = observer;
  const before = state.nodeDigest[node]!;
  observer.lookAtGlob(node);
  if (state.nodeDigest[node] === before) {
    return;
  }
  state.observe(node, before);
  for (const folder of state.globFolders.get(node)!) {
    state.distrust(folder);
  }
}
