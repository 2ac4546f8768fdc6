import { nothingToDoText, type Freshness, type Reason } from "../engine/index.ts";
import { problemLines, type Problem } from "../problem/index.ts";
import type { BuildEnd, CommandEvent } from "./events/index.ts";
import { reasonText } from "./reason-text.ts";
import { inventoryTexts } from "./inventory-text.ts";
import { checkTexts } from "./check-text.ts";
import { pushTexts } from "./push-text.ts";
import { settingTexts } from "./setting-text.ts";
import { listening } from "./sandbox-text.ts";
import { styled, type Line } from "./terminal.ts";

/** An event for a person: lines of the answer, which go to stdout, and all others. */
export interface EventLines {
  readonly answer?: readonly Line[];
  readonly lines?: readonly Line[];
}

type EventOf<T extends CommandEvent["type"]> = Extract<CommandEvent, { type: T }>;
type Texts = {
  readonly [T in CommandEvent["type"]]: (event: EventOf<T>, interrupted: boolean) => EventLines;
};

/** What a person reads of an event; `interrupted`: a signal has come. */
export function eventLines(event: CommandEvent, interrupted: boolean): EventLines {
  return (texts[event.type] as (event: CommandEvent, interrupted: boolean) => EventLines)(event, interrupted);
}

/** A problem with its first word in red. */
export function problemStyled(problem: Problem): Line[] {
  return problemLines(problem).map((line) => {
    const at = line.search(/error (?=DP\d)/);
    return at < 0 ? [line] : [line.slice(0, at), styled("red", "error "), line.slice(at + "error ".length)];
  });
}

const none: EventLines = {};
const answer = (...line: Line): EventLines => ({ answer: [line] });
const say = (...line: Line): EventLines => ({ lines: [line] });

const texts: Texts = {
  begin: () => none,
  step: stepText,
  problem: ({ problem }) => ({ lines: problemStyled(problem) }),
  note: ({ what }) => say(styled("yellow", "note"), `     ${what}`),
  "would-remove": ({ target }) => answer(`would remove  ${target}`),
  removed: ({ target }) => say(styled("dim", "removed"), `  ${target}`),
  "lock-wait": ({ holder }) => say(styled("dim", "waiting"), `  another run works here: ${holder}`),
  plan: planText,
  end: ({ watch, ...end }) => (watch ? batchText(end) : endText(end)),
  exit: () => none,
  help: ({ text }) => ({ answer: text.split("\n").map((line) => [line]) }),
  version: ({ version }) => answer(version),
  declined: ({ command, fix }) => say(`nothing was ${participles[command]}: ${fix}`),

  group: ({ target }) => answer(`${target}  (group)`),
  target: ({ target, effect }) => answer(`${target}${effect === undefined ? "" : `  (effect ${effect})`}`),

  status: ({ target, effect, status, reasons, dryRun, brief }) => {
    if (brief === true) {
      return none;
    }
    const why = reasons.length === 0 ? "" : `  ${firstReasons(reasons)}`;
    if (!dryRun) {
      return answer(`${statusWords[status].padEnd(widthOf(statusWords))}  ${target}${why}`);
    }
    const words = effect === undefined ? dryRunWords : dryRunEffectWords;
    return answer(`${words[status].padEnd("would remove".length)}  ${effect ?? target}${why}`);
  },
  "status-summary": ({ fresh, stale, unknown }) => say(`${fresh} fresh, ${stale} stale, ${unknown} unknown`),
  "dry-run-summary": ({ notFresh, targets }) =>
    say(
      notFresh === 0
        ? nothingToDoText("", [])
        : `dry run: ${notFresh} of ${targets} targets are not up to date`,
    ),
  why: ({ target, status, reasons }) => ({
    answer: [
      [`${target}: ${status === "unknown" ? "unknown until what it needs is made" : status}`],
      ...reasons.map((reason) => [`  ${reasonText(reason)}`]),
      ...(status === "fresh" ? [["  nothing changed since it was made"]] : []),
    ],
  }),
  ...settingTexts,
  "clean-summary": ({ removed }) => say(`${removed} removed; keys, Terraform state and settings stay`),

  watching: () => say("watching: save a file and what depends on it is made again; Ctrl-C ends"),
  "plan-saved": ({ file, effects }) =>
    say(
      effects === 0
        ? `nothing would change; ${file} is an empty plan`
        : `${effects} would change: read ${file}, then dospesos build --plan ${file}`,
    ),
  "plan-followed": ({ file, later }) =>
    say(
      `${file} is applied; what follows can be planned now: ${listed(later)}; dospesos build --plan-out ${file}`,
    ),
  "many-states": ({ cores, things }) =>
    say(
      styled("yellow", "note"),
      `     a Terraform state for each device (cores: ${cores}, things: ${things}) takes seconds for each; ` +
        "[instance] registry = api makes them many at a time (README: A fleet)",
    ),
  "not-applied": ({ effects }) =>
    say(
      styled("yellow", "note"),
      `     not applied while watching; run npx dospesos build: ${effects.join(", ")}`,
    ),

  drift: ({ effect, address, what }) => say(styled("yellow", "drift"), `    ${effect}: ${address} ${what}`),
  "verify-summary": ({ compared, drifted }) =>
    say(`${compared} applied effects compared with the account, ${drifted} differ`),
  elsewhere: ({ world, effects, settings }) => {
    return say(
      styled("yellow", "note"),
      `     ${world} still has ${listed(effects)}: to destroy them set ${settings} and run dospesos destroy; ` +
        "to keep them, leave terraform/state as it is",
    );
  },

  ...pushTexts,
  request: ({ core, status }) =>
    say(
      `${core}  ${status === "new" ? "its key was made on the device; the request is here" : "the same key as before; its request stays"}`,
    ),
  "request-summary": ({ fetched, failed }) => {
    if (failed > 0) {
      return none;
    }
    return say(fetched === 0 ? "no core has key = device" : "next: dospesos build edge-installer");
  },
  rotation: ({ name, status, archive }) => ({
    lines: rotationTexts[status](name, archive).map((line) => [line]),
  }),
  deployment: deploymentText,
  "deployment-summary": ({ succeeded, failed, offline }) =>
    succeeded + failed + offline === 1
      ? none
      : say(`${succeeded} cores succeeded, ${failed} failed, ${offline} never connected`),

  ...checkTexts,

  ...inventoryTexts,

  "sandbox-listening": listening,
  "sandbox-ended": () => say("the sandbox has ended"),
  "sandbox-log": ({ what }) => say(what),

  "state-moved": ({ module, name, bucket }) => say(`moved     ${module} ${name} to s3://${bucket}`),
  "state-moved-summary": ({ moved }) => say(`${moved} states moved; the local files stay as *.tfstate.moved`),
  destroyed: ({ effect }) => say(`destroyed ${effect}`),
  left: ({ name, what }) => say(`left      ${name}: ${what}`),
};

const participles = { build: "applied", push: "pushed", destroy: "destroyed", rotate: "ended" } as const;
const statusWords: Readonly<Record<Freshness, string>> = {
  fresh: "fresh",
  stale: "stale",
  unknown: "unknown",
};
const dryRunWords: Readonly<Record<Freshness, string>> = {
  fresh: "fresh",
  stale: "would make",
  unknown: "may make",
};

const dryRunEffectWords: Readonly<Record<Freshness, string>> = {
  fresh: "fresh",
  stale: "would apply",
  unknown: "may apply",
};
const rotationTexts: Readonly<
  Record<EventOf<"rotation">["status"], (name: string, archive: string) => string[]>
> = {
  begun: (name, archive) => [
    `${name}  has a new key and certificate beside the old ones`,
    `next: install ${archive} on the device, then dospesos rotate ${name} again, which ends the old ones`,
  ],
  old: (name, archive) => [
    `${name}  needs its old certificate, which is active again: install ${archive} on the device first`,
  ],
  offline: (name) => [`${name}  is not connected, so nobody can see whether it has its new certificate`],
  ended: (name) => [`${name}  the old certificate is deleted, the new one has taken its place`],
};

function widthOf(words: Readonly<Record<string, string>>): number {
  return Math.max(...Object.values(words).map((word) => word.length));
}

function firstReasons(reasons: readonly Reason[]): string {
  const more = reasons.length > 2 ? ` (+${reasons.length - 2} more)` : "";
  return `${reasons.slice(0, 2).map(reasonText).join("; ")}${more}`;
}

function stepText(event: EventOf<"step">, interrupted: boolean): EventLines {
  const { status, effect, needsPerson, target, reasons } = event;
  const line = (verb: Line[number]): EventLines =>
    say(verb, `  ${effect ?? target}  `, styled("dim", firstReasons(reasons)));
  switch (status) {
    case "fresh":
      return none;
    case "ran":
      return line(styled("green", effect === undefined ? "made   " : "applied"));
    case "failed":
      return line(interrupted ? styled("yellow", "stopped") : styled("red", "failed "));
    case "skipped":
      return needsPerson !== true || interrupted ? none : line(styled("yellow", "pending"));
  }
}

function planText({ effects, later = [] }: EventOf<"plan">): EventLines {
  return {
    lines: [
      ...effects.flatMap(({ name, changes }): Line[] => [
        [styled("bold", "plan"), `     ${name}`],
        ...changes.map((change) => [`         ${change}`]),
      ]),
      ...later.map(({ name, after }): Line => [
        styled("dim", "later"),
        `    ${name}  `,
        styled("dim", `planned after ${after}`),
      ]),
    ],
  };
}

function endText({
  ran,
  fresh,
  failed,
  skipped,
  ms,
  targets,
  interrupted,
}: Omit<BuildEnd, "watch">): EventLines {
  if (interrupted) {
    return say(`interrupted: ${ran} made, ${failed + skipped} not; the next build resumes from here`);
  }
  if (ran + failed + skipped === 0) {
    return say(nothingToDoText("", targets));
  }
  const parts = [
    `${ran} made`,
    `${fresh} fresh`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} not made`] : []),
  ];
  return say(`${parts.join(", ")} in ${(ms / 1000).toFixed(1)} s`);
}

function batchText({ ran, ms }: Omit<BuildEnd, "watch">): EventLines {
  return ran === 0 ? none : say(`${ran} made in ${ms} ms`);
}

function deploymentText(event: EventOf<"deployment">): EventLines {
  const { core, deployment, outcome, status = "not there yet", reason } = event;
  const line = (verb: Line[number], text: string): EventLines =>
    say(verb, ` ${core}  deployment ${deployment}${text}`);
  switch (outcome) {
    case "pending":
      return line("waiting ", `: ${status}`);
    case "offline":
      return line("pending ", ": the core has never connected, and gets it when it does");
    case "succeeded":
      return line(styled("green", "deployed"), `: ${status}`);
    case "failed":
      return line(styled("red", "failed  "), `: ${status}${reason === undefined ? "" : `: ${reason}`}`);
    case "timeout":
      return line(styled("red", "failed  "), ` is still ${status}; dospesos check ${core} finds the cause`);
  }
}

/** The names, or some of them and how many more there are. */
function listed(names: readonly string[]): string {
  return (names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} more`] : names).join(", ");
}
