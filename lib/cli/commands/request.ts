import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { settingsOf } from "../../account/modules.ts";
import { requestedKey } from "../../pki/keypair.ts";
import { requestFrom } from "../../device/request.ts";
import { acquireLock } from "../../engine/index.ts";
import { ProblemError, shown, type Problem } from "../../problem/index.ts";
import type { CoreSettings } from "../../settings/index.ts";
import { problemsFor } from "../problems.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos request [CORE…]`: has keys made on the devices of cores with `key = device`, and fetches the
 * requests for their certificates. A request for the same key as before stays as it is, since another one
 * would mean another certificate. Exit 0, or 1 if one failed.
 */
export async function request({ args, root, screen, signal, open }: Run): Promise<number> {
  const lock = await acquireLock(root, {
    command: "dospesos request",
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const { settings: content, settingsFile: file } = open().observer;
    const all: CoreSettings[] = [...settingsOf(content, file).cores];
    const named =
      args.targets.length > 0
        ? args.targets
        : all.filter(({ key }) => key === "device").map(({ name }) => name);
    const problems = named.flatMap((name): Problem[] => {
      const core = all.find((one) => one.name === name);
      const wrong = whyNotRequestable(name, core, args.host);
      return wrong === undefined
        ? []
        : [
            {
              code: "DP623",
              location: content.place(`core ${name}.host`) ?? { file },
              what: wrong,
              why: "a request comes from the device that makes its own key",
              fix: "name a core with key = device and a host",
            },
          ];
    });
    if (args.host !== undefined && named.length !== 1) {
      problems.push({
        code: "DP202",
        location: { file },
        what: "--host is the place of one core",
        why: "each device has a key of its own",
        fix: "name one core",
      });
    }
    if (problems.length > 0) {
      throw new ProblemError(problems);
    }
    let failed = 0;
    for (const name of named) {
      const place = content.place(`core ${name}.host`);
      try {
        const made = await requestFrom(name, {
          host: args.host ?? all.find((one) => one.name === name)!.host,
          place,
          asks: named.length === 1 && process.stdin.isTTY,
          signal,
        });
        screen.say(`${name}  ${await keep(join(root, "edge", "keys", name, "device.pem.csr"), made)}`);
      } catch (error) {
        signal.throwIfAborted();
        failed++;
        screen.problems(problemsFor(error));
      }
    }
    if (failed === 0) {
      screen.say(named.length === 0 ? "no core has key = device" : "next: dospesos build edge-installer");
    }
    return failed === 0 ? 0 : 1;
  } finally {
    lock.release();
  }
}

async function keep(path: string, csr: string): Promise<string> {
  try {
    if ((await requestedKey(readFileSync(path, "utf8"))).equals(await requestedKey(csr))) {
      return "the same key as before; its request stays";
    }
  } catch {
    // none yet, or none that can be read
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, csr, { mode: 0o600 });
  return "its key was made on the device; the request is here";
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
