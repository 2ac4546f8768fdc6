import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { withAccount } from "../../account/account.ts";
import { markerFile } from "../../account/account-effect.ts";
import { withDevices } from "../../account/data-plane.ts";
import { moduleWork } from "../../account/modules.ts";
import { seenWithNext, type Seen } from "../../account/rotation.ts";
import { withTerraform } from "../../account/terraform-effect.ts";
import { replaceFile } from "../../file/index.ts";
import {
  archiveOf,
  bundleFolder,
  kitFolder,
  nextKeyFile,
  nextRequestFile,
  privateKeyFile,
  requestFile,
} from "../../layout.ts";
import { certificateBelongsTo, createCsr, createKey, csrBelongsTo, requestedKey } from "../../pki/keypair.ts";
import { didYouMean, ProblemError, shown } from "../../problem/index.ts";
import { prepared } from "../../terraform/plan.ts";
import { isEnding, promoteNext } from "../../terraform/promote.ts";
import { askForWord } from "../../ui/consent.ts";
import { command, type CommandContext } from "../command.ts";
import { jobs, noWait, yes } from "../options.ts";
import { openProject, type OpenProject } from "../project.ts";
import { NO_BUILD_OPTIONS, runBuild } from "./build.ts";

const options = { jobs, yes, noWait };

/** A core or a thing whose key is made on the laptop. */
interface Subject {
  readonly module: "core" | "thing";
  readonly name: string;
  /** Where the bundle or kit is made. */
  readonly folder: string;
  readonly archive: string;
}

/**
 * `dospesos rotate NAME`: gives a core or thing a new key and certificate beside the ones that it runs with, and makes
 * its bundle anew. Run again after that bundle was installed, it ends the old certificate: of a core once it was seen
 * without it, of anything that cannot be seen when a person types its name.
 */
export const rotate = command({
  needsName: true,
  options,
  exits: {
    0: "there is a new bundle to install, or the rotation has ended",
    1: "a step failed, or the device still needs its old certificate",
    3: "another run works here (--no-wait)",
    4: "nobody consented",
  },
  examples: ["rotate core-1", "rotate core-1 --yes"],
  locks: true,
  run: async (context) => {
    const project = openProject(context);
    const subject = subjectOf(context, project);
    await finishRenaming(context.root, subject.name);
    const hasNext = existsSync(join(context.root, nextRequestFile(subject.name)));
    if (hasNext && (await isInterrupted(project, subject))) {
      return await finish(context, project, subject);
    }
    if (!hasNext) {
      await makeNext(context.root, subject.name);
    }
    // Only what an earlier run has built can be on the device: one that nobody consented to has built nothing.
    const wasBuilt = hasNext && hasNextBundle(context.root, subject);
    const exit = await build(context, subject);
    if (exit !== 0) {
      return exit;
    }
    if (!wasBuilt) {
      context.emit({ type: "rotation", name: subject.name, status: "begun", archive: subject.archive });
      return 0;
    }
    return await end(context, project, subject);
  },
});

/** @throws ProblemError (exit 2) where nothing of that name can be rotated. */
function subjectOf({ names, root }: CommandContext, { settings }: OpenProject): Subject {
  const [name = ""] = names;
  const cores = [...settings.cores];
  const core = cores.find((one) => one.name === name);
  const isThing = [...settings.things].some((one) => one.name === name);
  const stop = (what: string, why: string, fix: string): never => {
    throw new ProblemError([{ code: "DP626", location: { file: "settings.ini" }, what, why, fix }]);
  };
  if (names.length > 1) {
    stop(
      "rotate takes one name",
      "each device is installed before its old certificate ends",
      `rotate ${name} first`,
    );
  }
  if (core === undefined && !isThing) {
    const all = [...cores, ...settings.things].map((one) => one.name);
    const meant = didYouMean(name, all);
    stop(
      `there is no [core ${shown(name)}] or [thing ${shown(name)}]${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      "an identity belongs to one of them",
      "dospesos list shows the names",
    );
  }
  if (core?.key === "device") {
    stop(
      `the key of ${name} was made on its device`,
      "only that device can make another one",
      `run uninstall.sh there, dospesos destroy ${name}, then dospesos request ${name} and build`,
    );
  }
  const module = isThing ? "thing" : "core";
  if (!existsSync(join(root, markerFile(module, name)))) {
    stop(`${name} has no certificate yet`, "there is nothing to follow", "dospesos build");
  }
  const folder = isThing ? kitFolder(name) : bundleFolder(name);
  return { module, name, folder, archive: archiveOf(folder) };
}

/** The request comes last: with it the rotation has begun. */
async function makeNext(root: string, name: string): Promise<void> {
  const [keyFile, csrFile] = [join(root, nextKeyFile(name)), join(root, nextRequestFile(name))];
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
  if (!existsSync(keyFile)) {
    replaceFile(keyFile, createKey(), { mode: 0o600, durable: true });
  }
  const csr = await createCsr(readFileSync(keyFile, "utf8"), name);
  replaceFile(csrFile, csr, { mode: 0o600, durable: true });
}

/** Whether the bundle has the next certificate. */
function hasNextBundle(root: string, { name, folder }: Subject): boolean {
  const [certificate, key] = [join(root, folder, "device.pem.crt"), join(root, nextKeyFile(name))];
  return (
    existsSync(certificate) &&
    existsSync(key) &&
    certificateBelongsTo(readFileSync(certificate, "utf8"), readFileSync(key, "utf8"))
  );
}

/** The key goes first, and its request after it: a run that ended between them is taken up. */
async function finishRenaming(root: string, name: string): Promise<void> {
  const [next, key] = [join(root, nextRequestFile(name)), join(root, privateKeyFile(name))];
  if (
    existsSync(next) &&
    !existsSync(join(root, nextKeyFile(name))) &&
    existsSync(key) &&
    (await csrBelongsTo(readFileSync(next, "utf8"), readFileSync(key, "utf8")))
  ) {
    renameSync(next, join(root, requestFile(name)));
  }
}

async function build(context: CommandContext<typeof options>, { archive }: Subject): Promise<number> {
  return await runBuild({
    ...context,
    names: [archive],
    options: { ...context.options, dryRun: false, keepGoing: false, force: false, ...NO_BUILD_OPTIONS },
  });
}

/** Whether an earlier run had begun to end the old certificate. */
async function isInterrupted({ account }: OpenProject, { module, name }: Subject): Promise<boolean> {
  const { root, settings } = account;
  const work = settings.usesTerraform ? moduleWork(root, settings, module, name) : undefined;
  if (work === undefined) {
    return false;
  }
  return await withTerraform(account, async (terraform) => {
    const { state } = await prepared(terraform, work);
    return state !== undefined && (await isEnding(work, state));
  });
}

/** Ends the old certificate, if it is certain that it may end. */
async function end(
  context: CommandContext<typeof options>,
  project: OpenProject,
  subject: Subject,
): Promise<number> {
  const { emit, signal, options: given } = context;
  const { settings } = project;
  const { name } = subject;
  const seen = await look(context, project, subject);
  if (seen === "old" || seen === "offline") {
    emit({ type: "rotation", name, status: seen, archive: subject.archive });
    return 1;
  }
  const isConsented =
    seen === "next" ||
    (settings.sandbox && given.yes) ||
    (await askForWord(
      `Nobody can see which certificate ${name} runs with. Type ${name} to end the old one:`,
      name,
      signal,
    ));
  if (!isConsented) {
    const fix = settings.sandbox ? "run it with --yes" : `run it at a terminal and type ${name}`;
    emit({ type: "declined", command: "rotate", fix });
    return 4;
  }
  return await finish(context, project, subject);
}

/** Puts the next identity into the place of the old one, in the account, in the state and here. */
async function finish(
  context: CommandContext<typeof options>,
  { account }: OpenProject,
  subject: Subject,
): Promise<number> {
  const { root, settings } = account;
  const { module, name, archive } = subject;
  const work = settings.usesTerraform ? moduleWork(root, settings, module, name) : undefined;
  if (work !== undefined) {
    await withTerraform(account, async (terraform, { access }) => {
      await prepared(terraform, work);
      await promoteNext(terraform, access, work);
    });
  }
  renameSync(join(root, nextKeyFile(name)), join(root, privateKeyFile(name)));
  await finishRenaming(root, name);
  const exit = await build(context, subject);
  if (exit === 0) {
    context.emit({ type: "rotation", name, status: "ended", archive });
  }
  return exit;
}

/** What can be seen of the device. A client thing is seen by its core alone. */
async function look(
  { root, signal }: CommandContext,
  { settings, account }: OpenProject,
  { module, name }: Subject,
): Promise<Seen> {
  if (module === "thing") {
    return "unknown";
  }
  const key = await requestedKey(readFileSync(join(root, nextRequestFile(name)), "utf8"));
  return await withDevices({ root, settings, log: () => {} }, () =>
    withAccount({ root, settings }, ({ access }) =>
      seenWithNext({ access, name, key, sandbox: settings.sandbox, signal, note: account.note }),
    ),
  );
}
