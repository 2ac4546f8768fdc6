import { setTimeout as pause } from "node:timers/promises";
import type { AwsAccess } from "../aws/clients.ts";
import { connectivityOf } from "../aws/device-state.ts";
import { activeWithOtherKey, setActive } from "../aws/principals.ts";

/** Whether a device runs with its next certificate, as far as anybody can see. */
export type Seen = "next" | "old" | "offline" | "unknown";

export interface Rotating {
  readonly access: AwsAccess;
  readonly name: string;
  /** The public key of the next certificate: DER, SubjectPublicKeyInfo. */
  readonly key: Buffer;
  readonly sandbox: boolean;
  readonly signal: AbortSignal;
  readonly note: (what: string) => void;
}

/**
 * AWS IoT disconnects who uses a certificate "within a few minutes" of its end
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCertificate.html), the sandbox at once. Who stays
 * connected for this long without the old certificate has another one. In milliseconds.
 */
const LIMITS = { sandbox: 2_000, account: 6 * 60_000 };

/**
 * Tries whether a core does without its old certificate: that is made inactive, and active again unless the core is
 * connected when everybody who uses it is disconnected for sure. A connection that begins before that proves nothing:
 * AWS may still have let the old certificate in. Whom AWS does not show is not tried.
 */
export async function seenWithNext({ access, name, key, sandbox, signal, note }: Rotating): Promise<Seen> {
  const before = await connectivityOf(access, name);
  if (typeof before === "string") {
    return "unknown";
  }
  if (!before.connected) {
    return "offline";
  }
  const olds = await activeWithOtherKey(access, name, key);
  const limit = sandbox ? LIMITS.sandbox : LIMITS.account;
  if (olds.length > 0 && !sandbox) {
    note(
      `${name}: its old certificate is inactive for ${limit / 60_000} minutes, to see whether it does without`,
    );
  }
  let seen: Seen = "old";
  try {
    for (const id of olds) {
      await setActive(access, id, false);
    }
    await pause(limit, undefined, { signal });
    const now = await connectivityOf(access, name);
    seen = typeof now === "object" && now.connected ? "next" : "old";
  } finally {
    if (seen === "old") {
      for (const id of olds) {
        await setActive(access, id, true);
      }
    }
  }
  return seen;
}
