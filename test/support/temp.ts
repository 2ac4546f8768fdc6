import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];
process.on("exit", () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder of its own, removed when the test process ends. */
export function tempFolder(name = "test"): string {
  const folder = mkdtempSync(join(tmpdir(), `dospesos-${name}-`));
  made.push(folder);
  return folder;
}
