import { lastLine, FOLDER, type Push } from "./push-task.ts";
import type { Found } from "./push-look.ts";
import { ProblemError, type Problem } from "../problem/index.ts";
import type { Device } from "./device.ts";
import { ssh, type Remote } from "./ssh.ts";

/** How long a step of setup.sh may take, in milliseconds: the nucleus unpacks itself on slow cards. */
const SILENCE = 20 * 60_000;

export async function install({ core, device, options, report }: Push, sudo: Found["sudo"]): Promise<void> {
  if (sudo === "interactive" && !device.interactive) {
    throw new ProblemError([
      {
        code: "DP621",
        ...(device.location === undefined ? {} : { location: device.location }),
        what: `${core}: sudo on ${device.host} asks for a password`,
        why: "setup.sh runs as root, and nobody can be asked here",
        fix: `push ${core} alone, at a terminal; or let this user run sudo without a password`,
      },
    ]);
  }
  // It finds the nucleus zip beside its folder, or where an earlier run has kept it.
  const words = ["sh", `${FOLDER}/${core}/setup.sh`, ...options].join(" ");
  const prefix = sudo === "free" ? "sudo -n " : "";
  const remote: Remote =
    sudo === "interactive"
      ? { command: `sudo ${words}`, input: "terminal" }
      : { script: `${prefix}${words} < /dev/null\n` };
  const { exit, stderr } = await ssh(device, remote, {
    silence: SILENCE,
    onLine: (line) => report(line.trim()),
  });
  if (exit === 0) {
    return;
  }
  throw new ProblemError(problemsOf(core, device, exit, stderr));
}

/**
 * What setup.sh tells on its stderr, as problems of this computer: it writes `error: …`, ` why: …` and ` fix:
 * …` lines.
 */
function problemsOf(core: string, { host, location }: Device, exit: number, stderr: string): Problem[] {
  const code = exit === 4 ? "DP625" : "DP622";
  const at = location === undefined ? {} : { location };
  const problems = stderr
    .split(/^error: /m)
    .slice(1)
    .map((block): Problem => {
      const [what = "", ...rest] = block.split("\n");
      const line = (name: string): string | undefined =>
        rest.find((one) => one.startsWith(`  ${name}: `))?.slice(name.length + 4);
      const [why, fix] = [line("why"), line("fix")];
      return {
        code,
        ...at,
        what: `${core}: ${what}`,
        ...(why === undefined ? {} : { why }),
        ...(fix === undefined ? {} : { fix }),
      };
    });
  if (problems.length > 0) {
    return problems;
  }
  return [
    {
      code,
      ...at,
      what: `${core}: setup.sh on ${host} ended with exit code ${exit}${stderr.trim() === "" ? "" : `: ${lastLine(stderr)}`}`,
      why: "what it has done stays and is on record",
      fix: "put it right, then push again: it resumes where it stopped",
    },
  ];
}
