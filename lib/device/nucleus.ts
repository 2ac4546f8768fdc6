import { createHash } from "node:crypto";
import { ProblemError, shown, type SourceLocation } from "../problem/index.ts";

/**
 * sha256 of greengrass-<version>.zip as AWS serves it. Source: aws4embeddedlinux/meta-aws,
 * greengrass-bin_<version>.bb.
 */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ["2.16.0", "f07742c76eca868617127b5c6c9028e41c45c2b4ec25dd0db6f3b40ef7638b4e"],
]);

/**
 * The sha256 (64 lower-case hex digits) that the nucleus zip of a version must have on a device. `given` is
 * what settings.ini says (empty or undefined: nothing), `place` where. Throws a ProblemError (exit 2) for a
 * version that is neither known nor given, and for a given value that is not the known one.
 */
export function nucleusSha256(version: string, given?: string, location?: SourceLocation): string {
  const known = KNOWN.get(version);
  const wanted = given === undefined || given === "" ? undefined : given.toLowerCase();
  if (wanted !== undefined && (known === undefined || known === wanted)) {
    return wanted;
  }
  if (wanted === undefined && known !== undefined) {
    return known;
  }
  const at = location === undefined ? {} : { location };
  if (known === undefined) {
    throw new ProblemError([
      {
        code: "DP601",
        ...at,
        what: `the sha256 of nucleus ${shown(version)} is not known`,
        why: "a device runs the nucleus zip as root, so it must be exactly the one that you chose",
        fix:
          `download ${nucleusUrl(version)}, verify its signature (docs/nucleus-pin.md), and write ` +
          `sha256 = <output of sha256sum> in [greengrass]; or take a known version: ${[...KNOWN.keys()].join(", ")}`,
      },
    ]);
  }
  throw new ProblemError([
    {
      code: "DP602",
      ...at,
      what: `sha256 is not that of nucleus ${shown(version)}`,
      why: `greengrass-${version}.zip has ${known}; another file under this version is damaged or forged`,
      fix: "remove sha256 from [greengrass]",
    },
  ]);
}

/**
 * Where AWS serves the nucleus zip of a version (AWS IoT Greengrass Developer Guide, "Manual provisioning").
 */
export function nucleusUrl(version: string): string {
  return `https://d2s8p88vqu9w66.cloudfront.net/releases/greengrass-${version}.zip`;
}

/**
 * Refuses a nucleus zip (named `file` in the message) that does not have the pinned sha256: a ProblemError
 * (exit 1).
 */
export function checkNucleus(bytes: Uint8Array, file: string, sha256: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) {
    throw new ProblemError([
      {
        code: "DP605",
        location: { file },
        what: `the zip has sha256 ${found}, not ${sha256}`,
        why: "a device would run it as root",
        fix: "it is incomplete, damaged or forged: download it again",
      },
    ]);
  }
}
