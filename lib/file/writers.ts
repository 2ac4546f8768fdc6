import { readFileSync, statfsSync, statSync, type Stats } from "node:fs";

/** Who else can write a file, and the command that ends it. */
export interface OtherWriters {
  readonly who: string;
  /** Without the file's name. */
  readonly fix: string;
}

/**
 * Who besides this user can write a file of a project, if anybody. Root can in any case, and so can, without harm, a
 * group that nobody else is in. Root itself may run a project of somebody else: then its owner may write it.
 * `root`: the project's folder. Nobody, where the file system keeps no modes: see keepsModes.
 */
export function otherWriters({ uid, gid, mode }: Stats, root: string): OtherWriters | undefined {
  const me = process.getuid?.();
  if (me === undefined || !keepsModes(root)) {
    return undefined;
  }
  const isOwners = uid === me || uid === 0 || (me === 0 && uid === statSync(root).uid);
  if (!isOwners) {
    return { who: `its owner, user ${uid},`, fix: "chown $(id -u)" };
  }
  if ((mode & 0o002) !== 0) {
    return { who: "everybody", fix: "chmod go-w" };
  }
  if ((mode & 0o020) !== 0 && gid !== uid && gid !== 0 && !isAlone(uid, gid)) {
    return { who: `group ${gid}`, fix: "chmod go-w" };
  }
  return undefined;
}

/**
 * File systems that show the same mode for every file, whatever chmod says: exFAT, FAT, NTFS (two drivers), 9p (WSL),
 * CIFS, SMB, VirtualBox and VMware folders, and what FUSE mounts. Numbers: statfs(2), linux/magic.h.
 */
const WITHOUT_MODES = new Set([
  0x2011bab0, 0x4d44, 0x5346544e, 0x7366746e, 0x01021997, 0xff534d42, 0xfe534d42, 0x786f4256, 0xbacbacbc,
  0x65735546,
]);

/** Whether chmod has an effect in a folder, as far as the kind of its file system tells. */
export function keepsModes(folder: string): boolean {
  const { type } = statfsSync(folder);
  return process.platform !== "linux" || !WITHOUT_MODES.has(type >>> 0);
}

/**
 * Whether nobody but the user is in a group: by convention its id is the user's (useradd(8), "--user-group"); else by
 * the lists of this machine (group(5), passwd(5)). A group that these do not know may have anybody in it.
 */
function isAlone(uid: number, gid: number): boolean {
  const [users, groups] = [entriesOf("/etc/passwd"), entriesOf("/etc/group")];
  const me = users.find(([, , id]) => id === String(uid))?.[0];
  const group = groups.find(([, , id]) => id === String(gid));
  return (
    me !== undefined &&
    group !== undefined &&
    (group[3] ?? "").split(",").every((member) => member === "" || member === me) &&
    users.every(([name, , , primary]) => name === me || primary !== String(gid))
  );
}

function entriesOf(file: string): string[][] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
