import { open, rm } from "node:fs/promises";

/** Writes a new file, 0600, and waits until it is on the disk. */
export async function writeDurably(file: string, text: string): Promise<void> {
  // a leftover of a process that had the same id; "wx" below follows no link and keeps no mode
  await rm(file, { force: true });
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a rename survive a power cut. Windows cannot open a folder, and needs no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") {
    return;
  }
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
