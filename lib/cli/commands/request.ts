import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deviceRequestFile } from "../../layout.ts";
import { requestFrom } from "../../device/request.ts";
import { replaceFile } from "../../file/index.ts";
import { requestedKey } from "../../pki/keypair.ts";
import { ProblemError, shown, type Problem } from "../../problem/index.ts";
import type { CoreSettings } from "../../settings/index.ts";
import { reportProblems } from "../../ui/screen.ts";
import { command } from "../command.ts";
import { noWait, text } from "../options.ts";
import { problemsFor } from "../problems.ts";
import { openProject, type OpenProject } from "../project.ts";

/**
 * `dospesos request [CORE…]`: has keys made on the devices of cores with `key = device`, and fetches the
 * requests for their certificates. A request for the same key as before stays as it is, since another one
 * would mean another certificate.
 */
export const request = command({
  options: {
    noWait,
    host: text("HOST", "where the device of the one named core is, instead of its host in the settings"),
  },
  exits: { 0: "fetched", 1: "a device failed", 3: "another run works here (--no-wait)" },
  examples: ["request", "request core-1 --host pi@core-1.local"],
  locks: true,
  run: async (context) => {
    const { names, options, root, emit, signal } = context;
    const project = openProject(context);
    const cores: CoreSettings[] = [...project.settings.cores];
    const named =
      names.length > 0 ? names : cores.filter(({ key }) => key === "device").map(({ name }) => name);
    checkRequestable(project, named, cores, options.host);
    let failed = 0;
    for (const name of named) {
      try {
        const csr = await requestFrom(name, {
          host: options.host ?? cores.find((one) => one.name === name)!.host,
          location: project.content.locationOf(`core ${name}.host`),
          interactive: named.length === 1 && process.stdin.isTTY,
          signal,
        });
        const status = await keep(join(root, deviceRequestFile(name)), csr);
        emit({ type: "request", core: name, status });
      } catch (error) {
        signal.throwIfAborted();
        failed++;
        reportProblems(emit, problemsFor(error));
      }
    }
    emit({ type: "request-summary", fetched: named.length - failed, failed });
    return failed === 0 ? 0 : 1;
  },
});

/** Throws a ProblemError (exit 2) with every core that cannot be asked. */
function checkRequestable(
  { content, settingsFile: file }: OpenProject,
  named: readonly string[],
  cores: readonly CoreSettings[],
  host: string | undefined,
): void {
  const problems = named.flatMap((name): Problem[] => {
    const core = cores.find((one) => one.name === name);
    const wrong = whyNotRequestable(name, core, host);
    return wrong === undefined
      ? []
      : [
          {
            code: "DP623",
            location: content.locationOf(`core ${name}.host`) ?? { file },
            what: wrong,
            why: "a request comes from the device that makes its own key",
            fix: "name a core with key = device and a host",
          },
        ];
  });
  if (host !== undefined && named.length !== 1) {
    problems.push({
      code: "DP202",
      location: { file },
      what: "--host is for one core",
      why: "each device has a key of its own",
      fix: "name one core",
    });
  }
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
}

async function keep(path: string, csr: string): Promise<"new" | "unchanged"> {
  try {
    if ((await requestedKey(readFileSync(path, "utf8"))).equals(await requestedKey(csr))) {
      return "unchanged";
    }
  } catch {
    // none yet, or none that can be read
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  replaceFile(path, csr, { mode: 0o600 });
  return "new";
}

function whyNotRequestable(
  name: string,
  core: CoreSettings | undefined,
  host: string | undefined,
): string | undefined {
  if (core === undefined) {
    return `there is no [core ${shown(name)}]`;
  }
  if (core.key !== "device") {
    return `[core ${name}] has its key on the laptop`;
  }
  return (host ?? core.host) === "" ? `[core ${name}] has no host` : undefined;
}
