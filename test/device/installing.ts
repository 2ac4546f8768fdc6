import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { openMachine, type Machine } from "./machine.ts";

/** How setup.sh is run on a machine that a bundle was put on, and how the uninstaller that it leaves. */
export const SETUP = "sh /home/pi/core-1/setup.sh";
export const UNINSTALL = "sh /var/lib/dospesos/core-1/uninstall.sh --yes";

/** Runs the body on a machine of its own, with a disk of that size. */
export async function onMachine(body: (machine: Machine) => void, size?: string): Promise<void> {
  const machine = await openMachine(size);
  try {
    body(machine);
  } finally {
    machine.close();
  }
}

/** The changes of the machine beside the bundle that was copied to it. */
export function changes(machine: Machine): string[] {
  return machine.changes().filter((path) => path !== "/home" && !path.startsWith("/home/pi"));
}

/** The text of a file of the machine. */
export function text(machine: Machine, path: string): string {
  return readFileSync(machine.at(path), "utf8");
}

/** Runs a command that must end with 0; gives what it says on stdout. */
export function succeeds(machine: Machine, command: string): string {
  const result = machine.run(command);
  assert.is(result.status, 0, `${command}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}
