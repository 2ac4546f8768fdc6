import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];
process.on("exit", () => {
  for (const folder of made) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** An empty folder of its own, removed when the test process ends. */
export function tempFolder(name = "test", parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, `dospesos-${name}-`));
  made.push(folder);
  return folder;
}

/**
 * Where tens of thousands of files cost little: in memory, where the system has such a place
 * (shm_overview(7)).
 */
export function placeForMany(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}
