import type { Checker } from "./checker.ts";
import { faults } from "./faults.ts";

/** What nucleus lite does not have: set to anything but this, a core with it would not do what the settings say. */
const NEVER: readonly (readonly [string, string | number | boolean])[] = [
  ["greengrass.mqtt_port", 8883],
  ["greengrass.fips", false],
];

/** What is of no use where no core is classic. */
const CLASSIC_ONLY = ["jvm_options", "polling_seconds", "store_max_bytes", "log_level", "posix_user", "root"];

/** What cores with `runtime = lite` can do, together with the rest (aws-greengrass-lite, README and docs/SETUP.md). */
export function checkLite(checker: Checker): void {
  const cores = checker.named("core");
  const runtimes = new Map(cores.map((name) => [name, checker.value(`core ${name}.runtime`)]));
  const [first] = cores.filter((name) => runtimes.get(name) === "lite");
  if (first === undefined) {
    return;
  }
  const at = checker.location(`core ${first}.runtime`);
  if (checker.value("lite.sha256") === undefined && at !== undefined) {
    checker.refuse(faults.noKeySet, at, "runtime = lite without sha256 in [lite]", {
      why: "the package runs as root, and AWS does not sign it",
      fix: "add to [lite]: sha256 = what sha256sum prints for the package",
    });
  }
  for (const [key, only] of NEVER) {
    const location = checker.valueAt(key);
    if (location !== undefined && checker.value(key) !== only) {
      checker.refuse(faults.value, location, `nucleus lite has no ${key.split(".")[1]}`, {
        why: `the core ${first} would not do it`,
        fix: `leave it out, or runtime = classic in [core ${first}]`,
      });
    }
  }
  for (const key of [...runtimes.values()].every((runtime) => runtime === "lite") ? CLASSIC_ONLY : []) {
    const location = checker.valueAt(`greengrass.${key}`);
    if (location !== undefined) {
      checker.refuse(faults.value, location, `nucleus lite has no ${key}`, {
        why: "every core is lite",
        fix: "leave it out",
      });
    }
  }
  groups(checker, runtimes);
  things(checker, runtimes);
}

/** A deployment is for a group, and its components are for one runtime. */
function groups(checker: Checker, runtimes: ReadonlyMap<string, unknown>): void {
  const byGroup = new Map<unknown, string>();
  for (const [core, runtime] of runtimes) {
    const group = checker.value(`core ${core}.group`);
    const other = byGroup.get(group);
    const location = checker.location(`core ${core}.runtime`);
    if (other === undefined) {
      byGroup.set(group, core);
    } else if (runtimes.get(other) !== runtime && location !== undefined) {
      checker.refuse(faults.value, location, `${core} and ${other} have one group, and two runtimes`, {
        why: "a deployment to the group has components for one of them only",
        fix: `give one of them another group`,
      });
    }
  }
}

function things(checker: Checker, runtimes: ReadonlyMap<string, unknown>): void {
  for (const name of checker.named("thing")) {
    const core = checker.value(`thing ${name}.core`);
    const location = checker.location(`thing ${name}.core`);
    if (typeof core === "string" && runtimes.get(core) === "lite" && location !== undefined) {
      checker.refuse(faults.value, location, `${core} runs nucleus lite, which takes no client devices`, {
        why: `${name} would find no broker there`,
        fix: "a core with runtime = classic",
      });
    }
  }
}
