import { parseArgs } from "node:util";
import { availableParallelism } from "node:os";
import { didYouMean, ProblemError, shown } from "../problem/index.ts";

export const COMMANDS = [
  "build",
  "watch",
  "clean",
  "status",
  "why",
  "list",
  "request",
  "push",
  "deploy",
  "check",
  "things",
  "sandbox",
  "move-state",
  "destroy",
] as const;
export type Command = (typeof COMMANDS)[number];

export interface Arguments {
  readonly command: Command;
  readonly targets: readonly string[];
  readonly dryRun: boolean;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly verify: boolean;
  readonly json: boolean;
  readonly wait: boolean;
  readonly color: boolean | undefined;
  readonly folder: string | undefined;
  /** (push) */
  readonly host: string | undefined;
  readonly only: "failed" | undefined;
  readonly offline: boolean;
  readonly sandboxOk: boolean;
}

export const USAGE = `dospesos — Greengrass edge devices out of one settings.ini, built step by step

usage: dospesos COMMAND [TARGET…] [options]

  build [TARGET…]    make the targets and all that they need (default: everything)
  watch [TARGET…]    the same again on every save; never runs an effect
  status [TARGET…]   fresh, stale or unknown; changes nothing; exit 0 only if all are fresh
  why TARGET…        what changed, for the targets and all that they need
  list               the groups and targets that can be named
  request [CORE…]    have keys made on the devices of cores with key = device, and fetch the requests for certificates
  push [CORE…]       bring bundles to their devices over ssh, and install them there
  clean [TARGET…]    remove built files; never keys, Terraform state or settings
  deploy             build the deployments and wait for what became of them on each core
  check [NAME…]      is all well, from a core's service to a message received? names the first broken link
  things             what exists in the account, and what may cost money
  sandbox            run the embedded account with IoT Core, discovery and simulated cores, until Ctrl-C
  move-state         move Terraform's local states to S3, where the settings now name it
  destroy [NAME…]    take everything out of the account again, in reverse order; or only these cores and things

  -n, --dry-run      tell what build or push would do, and do nothing
  -j, --jobs N       at most N recipes, or devices, at the same time
  -k, --keep-going   after a failure make whatever does not need the failed target
      --force        run the steps even if they are fresh
      --yes          consent to what the effects of this run change
      --verify       (build, status) ask the account whether what was applied is still there
      --host HOST    (push, request) where the device of the one named core is, instead of its host in the settings
      --only failed  (push) the cores whose last push did not end well
      --offline      (push) install though the device cannot reach AWS now
      --sandbox-ok   (push) install a sandbox bundle, though its core cannot reach AWS
      --json         one event a line on stdout
      --no-wait      do not wait while another run works in the folder (exit 3)
      --no-color     no colours; --color: colours also where there is no terminal
  -C DIR             work in DIR
  -h, --help   --version

exit: 0 done · 1 a step failed, something is stale (status) or broken (check) · 2 settings, Dofile or usage · 3 locked · 4 needs a person
      129, 130, 143 interrupted`;

const OPTIONS = {
  "dry-run": { type: "boolean", short: "n" },
  jobs: { type: "string", short: "j" },
  "keep-going": { type: "boolean", short: "k" },
  force: { type: "boolean" },
  yes: { type: "boolean" },
  verify: { type: "boolean" },
  json: { type: "boolean" },
  "no-wait": { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
  directory: { type: "string", short: "C" },
  host: { type: "string" },
  only: { type: "string" },
  offline: { type: "boolean" },
  "sandbox-ok": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** The options that each command knows besides those that all know. */
const KNOWN: Readonly<Record<Command, readonly string[]>> = {
  build: ["dry-run", "jobs", "keep-going", "force", "yes", "verify", "no-wait"],
  watch: ["jobs"],
  clean: ["no-wait"],
  status: ["verify", "jobs"],
  why: [],
  list: [],
  request: ["no-wait", "host"],
  push: ["dry-run", "jobs", "yes", "no-wait", "host", "only", "offline", "sandbox-ok"],
  deploy: ["dry-run", "jobs", "keep-going", "force", "yes", "no-wait"],
  check: [],
  things: [],
  sandbox: ["no-wait"],
  "move-state": ["no-wait"],
  destroy: ["yes", "no-wait"],
};
const COMMON = ["json", "color", "no-color", "directory"];

/**
 * What was asked for, or "help" or "version". Throws a ProblemError (exit 2) with everything that is wrong
 * with the words.
 */
export function parseArguments(words: readonly string[]): Arguments | "help" | "version" {
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const options = tokens.filter((token) => token.kind === "option");
  const given = options.map((token) => token.name);
  if (given.includes("help") || words[0] === "help" || words.length === 0) {
    return "help";
  }
  if (given.includes("version")) {
    return "version";
  }
  const [command = "", ...targets] = positionals;
  if (!isCommand(command)) {
    const meant = didYouMean(command, COMMANDS);
    throw usage([
      command === ""
        ? "there is no command"
        : `${shown(command)} is no command${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    ]);
  }
  const known = [...KNOWN[command], ...COMMON];
  const wrong = options.flatMap((token) => {
    if (!known.includes(token.name)) {
      const meant = didYouMean(token.name, known);
      return [
        `${token.rawName} is no option of ${command}${meant === undefined ? "" : `; did you mean --${meant}?`}`,
      ];
    }
    const { type } = OPTIONS[token.name as keyof typeof OPTIONS];
    if (type === "string" && token.value === undefined) {
      return [`${token.rawName} needs a value`];
    }
    return type === "boolean" && token.value !== undefined ? [`${token.rawName} takes no value`] : [];
  });
  const jobs = values.jobs === undefined ? availableParallelism() : Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 1024) {
    wrong.push(`--jobs takes a number from 1 to 1024, not ${shown(String(values.jobs))}`);
  }
  if (values.only !== undefined && values.only !== "failed") {
    wrong.push(`--only takes failed, not ${shown(String(values.only))}`);
  }
  if (command === "why" && targets.length === 0) {
    wrong.push("why needs a target: dospesos list shows them");
  }
  if (["list", "deploy", "things", "sandbox", "move-state"].includes(command) && targets.length > 0) {
    wrong.push(`${command} takes no targets`);
  }
  if (wrong.length > 0) {
    throw usage(wrong);
  }
  const is = (name: keyof typeof OPTIONS): boolean => values[name] === true;
  return {
    command,
    targets,
    jobs,
    dryRun: is("dry-run"),
    keepGoing: is("keep-going"),
    force: is("force"),
    yes: is("yes"),
    verify: is("verify"),
    json: is("json"),
    wait: !is("no-wait"),
    color: is("no-color") ? false : is("color") || undefined,
    folder: typeof values.directory === "string" ? values.directory : undefined,
    host: typeof values.host === "string" ? values.host : undefined,
    only: values.only === "failed" ? "failed" : undefined,
    offline: is("offline"),
    sandboxOk: is("sandbox-ok"),
  };
}

function isCommand(word: string): word is Command {
  return (COMMANDS as readonly string[]).includes(word);
}

function usage(wrong: readonly string[]): ProblemError {
  return new ProblemError(
    wrong.map((what) => ({ code: "DP202", what, fix: "dospesos --help shows the commands and options" })),
  );
}
