import { componentConflict, isBefore } from "../aws/public-components.ts";
import { nucleusSha256 } from "../device/nucleus.ts";
import { ProblemError } from "../problem/index.ts";
import type { Checker } from "./checker.ts";
import { faults } from "./faults.ts";
import { checkLite } from "./lite.ts";
import { FIPS_REGIONS } from "./regions.ts";

/** What keys must be together, each of which is right by itself. */
export function checkCombinations(checker: Checker): void {
  nucleus(checker);
  components(checker);
  fips(checker);
  remoteState(checker);
  checkLite(checker);
}

/** A state in S3 needs a bucket, and somebody who has one: the sandbox has no S3. */
function remoteState(checker: Checker): void {
  const location = checker.location("terraform.backend");
  if (location === undefined || checker.value("terraform.backend") !== "s3") {
    return;
  }
  if (checker.value("terraform.bucket") === undefined) {
    checker.refuse(faults.noKeySet, location, "backend = s3 without a bucket", {
      why: "the state must lie somewhere",
      fix: "add it: e.g. bucket = acme-dospesos-state",
    });
  }
  if (checker.value("aws.account") === "sandbox" && (checker.value("terraform.endpoint") ?? "") === "") {
    checker.refuse(faults.value, location, "the sandbox has no S3", {
      why: "its state can lie in another S3 only",
      fix: "backend = local, or add endpoint, the URL of an S3",
    });
  }
}

/** What is deployed together must go together, and know the wildcards of the things' rights. */
function components(checker: Checker): void {
  const [broker, auth] = ["mqtt_broker", "client_device_auth"].map((key) => `components.${key}`);
  const versions = { broker: checker.value(broker!), auth: checker.value(auth!) };
  if (typeof versions.broker !== "string" || typeof versions.auth !== "string") {
    return;
  }
  const conflict = componentConflict({ broker: versions.broker, auth: versions.auth });
  const [location, old] = [checker.valueAt(broker!) ?? checker.valueAt(auth!), checker.valueAt(auth!)];
  if (conflict !== undefined && location !== undefined) {
    checker.refuse(faults.value, location, conflict, {
      why: "a core would refuse the deployment",
      fix: "mqtt_broker = 2.3.7",
    });
  }
  if (isBefore(versions.auth, "2.5.0") && old !== undefined) {
    checker.refuse(faults.value, old, `client_device_auth ${versions.auth} has no wildcards in policies`, {
      why: "what a thing may publish and subscribe to is written with one",
      fix: "client_device_auth = 2.5.2",
    });
  }
}

/** FIPS endpoints exist in few regions only. */
function fips(checker: Checker): void {
  const location = checker.valueAt("greengrass.fips");
  const region = checker.value("aws.region");
  if (checker.value("greengrass.fips") !== true || location === undefined || typeof region !== "string") {
    return;
  }
  if (!FIPS_REGIONS.includes(region)) {
    checker.refuse(faults.value, location, `AWS IoT has no FIPS endpoints in ${region}`, {
      why: "the nucleus would look for hosts that do not exist",
      fix: `fips = false, or a region of ${FIPS_REGIONS.join(", ")}`,
    });
  }
}

/** The nucleus must be one whose digest is known: a device runs it as root. */
function nucleus(checker: Checker): void {
  const [version, sha256] = [checker.value("greengrass.version"), checker.value("greengrass.sha256")];
  if (version === undefined) {
    return;
  }
  const location = checker.location(sha256 === undefined ? "greengrass.version" : "greengrass.sha256");
  try {
    nucleusSha256(String(version), sha256 === undefined ? undefined : String(sha256), location);
  } catch (error) {
    if (!(error instanceof ProblemError)) {
      throw error;
    }
    checker.problems.push(...error.problems);
  }
}
