import { ProblemError, type SourceLocation } from "../problem/index.ts";
import type { Device } from "./device.ts";

/** Why ssh itself gave up, from what it told on its standard error. */
export function connectionFailure(device: Device, stderr: string): ProblemError {
  const { host } = device;
  if (stderr.includes("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    return failure(
      device,
      `the host key of ${host} is not the one that is known here`,
      "it may be another machine, which would get the private key of the core",
      `compare the fingerprints: on the device \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`, ` +
        `here what \`ssh ${host}\` shows; only if you know why it changed: ssh-keygen -R HOST`,
    );
  }
  if (stderr.includes("Host key verification failed")) {
    return failure(
      device,
      `the host key of ${host} is not known here`,
      "the bundle holds the private key of the core, and must not go to another machine",
      `\`ssh ${host}\` once at a terminal, and compare the fingerprint with the device's own`,
    );
  }
  const last = stderr.trim().split(/\r?\n/).at(-1) ?? "";
  if (/Permission denied/.test(stderr)) {
    return failure(
      device,
      `${host} lets nobody in: ${last}`,
      "the bundle goes over your own ssh",
      `see that \`ssh ${host}\` works${device.interactive ? "" : " without a question (a key in your agent)"}`,
    );
  }
  return failure(
    device,
    `no connection to ${host}${last === "" ? "" : `: ${last}`}`,
    "the bundle goes over your own ssh",
    `see that \`ssh ${host}\` works, then push again: it resumes where it stopped`,
  );
}

export function noSsh(device: Device): ProblemError {
  return failure(device, "there is no ssh on PATH", "devices are reached by it", "install OpenSSH's client");
}

export function failure(
  { location }: { readonly location?: SourceLocation | undefined },
  what: string,
  why: string,
  fix: string,
): ProblemError {
  return new ProblemError([
    { code: "DP620", ...(location === undefined ? {} : { location }), what, why, fix },
  ]);
}
