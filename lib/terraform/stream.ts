import { ProblemError, type SourceLocation, type Problem } from "../problem/index.ts";
import { instanceName, moduleFolder, type ModuleInstance } from "./module-instance.ts";

/**
 * One line of Terraform's JSON stream (Terraform CLI documentation, "Machine-readable UI"). Other types exist
 * and more will come.
 */
export interface Message {
  readonly type?: string;
  readonly "@message"?: string;
  readonly diagnostic?: Diagnostic;
  readonly change?: {
    readonly resource: Resource;
    readonly action: string;
    readonly reason?: string;
    readonly importing?: object;
  };
  readonly hook?: { readonly resource: Resource; readonly action?: string };
}

export interface Resource {
  /** e.g. "aws_iot_thing.core" */
  readonly addr: string;
  readonly resource_type: string;
}

interface Diagnostic {
  readonly severity: string;
  readonly summary: string;
  readonly detail?: string;
  readonly range?: {
    readonly filename: string;
    readonly start: { readonly line: number; readonly column: number };
  };
}

/** The messages of a stream. Lines that are no JSON are passed over: some versions mix plain text in. */
export function messagesOf(output: string): Message[] {
  return output.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) {
      return [];
    }
    try {
      return [JSON.parse(line) as Message];
    } catch {
      return []; // cut off by a crash
    }
  });
}

const STEPS: Readonly<Record<string, 1 | -1 | undefined>> = { apply_start: 1, apply_complete: -1 };

/** Resources whose change began and did not end: what may exist in AWS but not in the state. */
export function unfinishedIn(messages: readonly Message[]): string[] {
  const open = new Map<string, number>();
  for (const { type, hook } of messages) {
    const step = STEPS[type ?? ""];
    if (step !== undefined && hook !== undefined && hook.action !== "read") {
      open.set(hook.resource.addr, (open.get(hook.resource.addr) ?? 0) + step);
    }
  }
  return [...open].filter(([, count]) => count > 0).map(([address]) => address);
}

/** What a run of Terraform ended with. */
export interface Failure {
  readonly messages: readonly Message[];
  readonly stderr: string;
  readonly exit: number | undefined;
}

const LOCK = "Error acquiring the state lock";
const STALE = "Saved plan is stale";

/** Terraform's errors as problems, placed in the module's own files. */
export function failureOf(
  instance: ModuleInstance,
  command: string,
  { messages, stderr, exit }: Failure,
): ProblemError {
  const diagnostics = messages.flatMap(({ diagnostic }) =>
    diagnostic?.severity === "error" ? [diagnostic] : [],
  );
  const lock = diagnostics.find(({ summary }) => summary === LOCK);
  if (lock !== undefined) {
    return new ProblemError([lockProblem(instance, lock.detail ?? "")]);
  }
  const stale = diagnostics.find(({ summary }) => summary === STALE);
  if (stale !== undefined) {
    return new ProblemError([
      {
        code: "DP407",
        what: `${instanceName(instance)}: somebody else changed its state after the plan was made`,
        why: "nothing was changed: what was shown is not what would happen now",
        fix: "build again: a new plan is made and shown",
      },
    ]);
  }
  const problems = diagnostics.map((one): Problem => ({
    code: "DP405",
    ...(one.range === undefined ? {} : { location: sourceOf(instance, one.range) }),
    what: `${instanceName(instance)}: terraform ${command} failed: ${firstLine(one.summary)}`,
    ...(one.detail ? { why: inOneLine(one.detail) } : {}),
  }));
  if (problems.length > 0) {
    return new ProblemError(problems);
  }
  return new ProblemError([
    {
      code: "DP405",
      what: `${instanceName(instance)}: terraform ${command} ended with ${exit === undefined ? "a signal" : `exit code ${exit}`}`,
      why: inOneLine(stderr).slice(-2000) || "it printed nothing",
    },
  ]);
}

function sourceOf(
  { module }: ModuleInstance,
  { filename, start }: NonNullable<Diagnostic["range"]>,
): SourceLocation {
  return { file: `terraform/${module}/${filename}`, line: start.line, column: start.column };
}

/** Terraform breaks its sentences to fit a terminal. */
function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

/** Names who holds the lock: Terraform gives ID, Who, Operation and Created in the text of its diagnostic. */
function lockProblem(instance: ModuleInstance, detail: string): Problem {
  const field = (name: string): string =>
    new RegExp(`^\\s*${name}:\\s*(.+?)\\s*$`, "m").exec(detail)?.[1] ?? "unknown";
  return {
    code: "DP406",
    what: `${instanceName(instance)}: its state is locked by ${field("Who")} (${field("Operation")}, since ${field("Created")})`,
    why: "two applies at once would lose what one of them made",
    fix:
      "wait for it; if that run is dead for sure: terraform " +
      `-chdir=${moduleFolder(instance)}/${instance.name}.work/module ` +
      `force-unlock ${field("ID")}`,
  };
}
