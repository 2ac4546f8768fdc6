import { spawnSync } from "node:child_process";
import type { Test } from "uvu";
import { testWhere } from "./tools.ts";

/** Words for unshare(1) of namespaces of its own, also for who is not root. */
const OWN = process.getuid?.() === 0 ? [] : ["-Ur"];

/**
 * What the kernel lets a test change for itself alone, and how that is found out. Nothing of it reaches the
 * machine.
 */
const CHANGES = {
  /** File systems that only the script sees. */
  mounts: {
    words: [...OWN, "-m"],
    probe: `folder=$(mktemp -d) && mount -t tmpfs none "$folder"; status=$?; umount "$folder"; rmdir "$folder"; exit $status`,
  },
  /** A network that nobody else is in. */
  network: { words: [...OWN, "-n"], probe: "true" },
  /** Limits of inotify(7) for the users of a namespace (/proc/sys/user). */
  watches: { words: ["-Ur"], probe: "echo 5 > /proc/sys/user/max_inotify_watches" },
  /** Process ids of its own, of which the next one can be chosen. */
  processes: {
    words: [...OWN, "-p", "-f", "-m", "--mount-proc"],
    probe: "echo 40 > /proc/sys/kernel/ns_last_pid",
  },
} as const;

/** The words for unshare(1) with which a script may do so. */
export function unshared(what: keyof typeof CHANGES): readonly string[] {
  return CHANGES[what].words;
}

/**
 * Declares a test that changes something which not every kernel and container lets it change. Where that is
 * so, it says so and counts as skipped.
 */
export function testInOwn<T>(
  test: Test<T>,
  what: keyof typeof CHANGES,
  name: string,
  body: Parameters<Test<T>>[1],
): void {
  const { words, probe } = CHANGES[what];
  const { status, stderr } = spawnSync("unshare", [...words, "sh", "-c", probe], { encoding: "utf8" });
  testWhere(
    test,
    status === 0 ? undefined : `no ${what} of its own here: ${(stderr ?? "there is no unshare").trim()}`,
    name,
    body,
  );
}
