import type { SandboxListening } from "./events/account.ts";
import type { Line } from "./terminal.ts";

/** Where the sandbox can be met, and what a real device needs to find it. */
export function listening({ endpoint, iot, discovery, hosts, bind }: SandboxListening): {
  readonly lines: readonly Line[];
} {
  const forDevices: Line[] = hosts === null ? [] : [["for /etc/hosts of your devices:"], [`  ${hosts}`]];
  const warning: Line[] =
    bind === null
      ? []
      : [[`warning: who reaches ${bind} can talk to this sandbox: use it on a bench network only`]];
  return {
    lines: [
      [`AWS's APIs   ${endpoint}`],
      [`IoT Core     ${iot}`],
      [`discovery    ${discovery}`],
      ...forDevices,
      ...warning,
      ["the sandbox runs; Ctrl-C ends it"],
    ],
  };
}
