import { createHash } from "node:crypto";
import { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import type { Certificate, Region } from "../account.ts";

/** The id, as AWS IoT counts, of the certificate that a connection was made with. */
export function peerCertificateId(stream: Duplex): string | undefined {
  const raw = stream instanceof TLSSocket ? stream.getPeerCertificate().raw : undefined;
  return raw === undefined ? undefined : createHash("sha256").update(raw).digest("hex");
}

/**
 * The account's certificate that a connection was made with, or why there is none. A certificate of the right
 * CA is not enough: it must be known and active
 * (https://docs.aws.amazon.com/iot/latest/developerguide/client-authentication.html).
 */
export function peerCertificate(region: Region, stream: Duplex): Certificate | string {
  const id = peerCertificateId(stream);
  if (id === undefined) {
    return "no certificate was shown";
  }
  const certificate = region.certificates.get(id);
  if (certificate === undefined) {
    return `certificate ${id.slice(0, 8)}… is not registered in this account and region`;
  }
  return certificate.status === "ACTIVE"
    ? certificate
    : `certificate ${id.slice(0, 8)}… is ${certificate.status}`;
}

/** The thing that a certificate speaks for: over MQTT the one that is the client's id, else its only one. */
export function thingOf(region: Region, { id }: Certificate, clientId?: string): string | undefined {
  const things = region.principals.rightOf(id);
  const named = things.find((name) => name === clientId);
  return named ?? (things.length === 1 ? things[0] : undefined);
}
