import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failureOf, messagesOf, unfinishedIn, type Message } from "./stream.ts";
import { forgetRunning, noteChange, noteRunning, startOf } from "./running.ts";
import { moduleCopy, instanceName, workFolder, type ModuleInstance } from "./module-instance.ts";

/** How Terraform is run in one build. */
export interface Terraform {
  /** "terraform" or "tofu". */
  readonly name: string;
  /** The absolute path of the program. */
  readonly program: string;
  /** e.g. "1.11.4" */
  readonly version: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Aborted when the build is interrupted. */
  readonly signal: AbortSignal;
  /** Says something to the person who builds. */
  readonly report: (what: string) => void;
}

export interface TerraformResult {
  readonly exit: number | undefined;
  readonly messages: readonly Message[];
  readonly stdout: string;
  readonly stderr: string;
}

export interface Invocation {
  readonly command: string;
  readonly args: readonly string[];
  /** Exit codes that are no failure; 0 if absent. */
  readonly good?: readonly number[];
}

/** Any number of an open file; execa passes it on as it is. */
type Descriptor = 3;

/** Commands that change something in the account: what of them was cut is looked into by the next build. */
const CHANGES = ["apply", "destroy"];

/**
 * Runs Terraform in a module's own folder. It leads a session of its own, and writes to files: a Ctrl-C in
 * the terminal or the end of this process, however it comes, does not reach it. Aborting the signal sends it
 * one SIGINT, and then waits: a second one would make it forget what it has made (Terraform's own words:
 * "data loss may have occurred").
 * @throws ProblemError with Terraform's own errors, exit 1 or 4.
 */
export async function runTerraform(
  terraform: Terraform,
  instance: ModuleInstance,
  { command, args, good = [0] }: Invocation,
): Promise<TerraformResult> {
  const { program, environment, signal, report } = terraform;
  signal.throwIfAborted();
  const { execa } = await import("execa");
  const out = join(workFolder(instance), `${command}.log`);
  const errors = join(workFolder(instance), `${command}.err`);
  const [stdout, stderr] = [openSync(out, "w", 0o600), openSync(errors, "w", 0o600)];
  const began = { command, since: Date.now() };
  noteRunning(instance, began);
  const changes = CHANGES.includes(command);
  if (changes) {
    noteChange(instance);
  }
  // State, plans and backups are as private as the mask of who creates them. The child takes the mask at this
  // very moment.
  const mask = process.umask(0o077);
  const child = execa(program, [command, ...args], {
    cwd: moduleCopy(instance),
    env: environment,
    extendEnv: false,
    detached: true,
    cleanup: false,
    forceKillAfterDelay: false,
    stdin: "ignore",
    stdout: stdout as Descriptor,
    stderr: stderr as Descriptor,
    reject: false,
    buffer: false,
  });
  process.umask(mask);
  closeSync(stdout);
  closeSync(stderr);
  const started = child.pid === undefined ? undefined : await startOf(child.pid);
  if (child.pid !== undefined && started !== undefined) {
    noteRunning(instance, { ...began, process: { id: child.pid, started } });
  }
  const interrupt = (): void => {
    report(
      `terraform ${command} of ${instanceName(instance)} was asked to stop: waiting until it has written down what it did`,
    );
    child.kill("SIGINT");
  };
  signal.addEventListener("abort", interrupt);
  if (signal.aborted) {
    interrupt();
  }
  const { exitCode } = await child;
  signal.removeEventListener("abort", interrupt);
  const text = readFileSync(out, "utf8");
  const ran = {
    exit: exitCode,
    messages: messagesOf(text),
    stdout: text,
    stderr: readFileSync(errors, "utf8"),
  };
  const isGood = exitCode !== undefined && good.includes(exitCode);
  forgetRunning(instance);
  if (isGood) {
    return ran;
  }
  const unfinished = changes ? unfinishedIn(ran.messages) : [];
  if (unfinished.length > 0) {
    report(unfinishedText(instance, unfinished));
  }
  throw failureOf(instance, command, ran);
}

/** What a run that was interrupted may have left. */
export function unfinishedText(
  instance: ModuleInstance,
  addresses: readonly string[],
  build: "this" | "the next" = "the next",
): string {
  return `${instanceName(instance)}: may exist in the account but not in the state: ${addresses.join(", ")}; ${build} build looks for them`;
}
