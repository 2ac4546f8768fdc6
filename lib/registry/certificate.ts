import { X509Certificate } from "node:crypto";
import type { Certificate, CertificateStatus } from "@aws-sdk/client-iot";
import { call, deletion, lookUp } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { requestedKey } from "../pki/keypair.ts";
import type { CertificateJournal } from "./certificate-journal.ts";
import { detachAll } from "./policy-attachment.ts";

export interface IssuedCertificate {
  readonly arn: string;
  readonly id: string;
  readonly pem: string;
  readonly status: CertificateStatus;
}

/**
 * The thing's certificate for the key of the request, and its certificates for other keys. Where it has none
 * yet, one that a killed run asked for is taken, or one is made; it is not attached yet.
 */
export async function certificateFor(
  access: AwsAccess,
  thingName: string,
  csr: string,
  journal: CertificateJournal,
): Promise<{ certificate: IssuedCertificate; isNew: boolean; superseded: IssuedCertificate[] }> {
  const key = await requestedKey(csr);
  const present = await certificatesOf(access, thingName);
  const kept = present.find(({ pem }) => keyOf(pem).equals(key));
  const certificate =
    kept ??
    (await unattachedCertificate(access, thingName, key, journal)) ??
    (await newCertificate(access, thingName, csr, journal));
  return { certificate, isNew: kept === undefined, superseded: present.filter((each) => each !== kept) };
}

/** The clocks of AWS and of this machine may be so far apart, in milliseconds (AWS Signature Version 4). */
const CLOCKS_APART = 5 * 60_000;

/** The certificate that a run which was killed asked for and did not attach. */
async function unattachedCertificate(
  access: AwsAccess,
  thingName: string,
  key: Buffer,
  journal: CertificateJournal,
): Promise<IssuedCertificate | undefined> {
  const open = journal.open(thingName);
  if (open === undefined) {
    return undefined;
  }
  if (open.id !== undefined) {
    const found = await certificateWithId(access, open.id);
    return found !== undefined && keyOf(found.pem).equals(key) ? found : undefined;
  }
  // The answer was lost: it is among those that were made about then and that no journal knows.
  for await (const { certificateId: id = "", creationDate } of certificatesSince(
    access,
    open.at - CLOCKS_APART,
  )) {
    const isLater = (creationDate?.getTime() ?? 0) > open.at + CLOCKS_APART;
    if (isLater || journal.known().has(id)) {
      continue;
    }
    const found = await certificateWithId(access, id);
    if (found !== undefined && keyOf(found.pem).equals(key)) {
      return found;
    }
  }
  return undefined;
}

/** The newest first, as far back as that time in milliseconds since 1970. */
async function* certificatesSince(access: AwsAccess, since: number): AsyncIterable<Certificate> {
  const { ListCertificatesCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  for (let marker: string | undefined; ;) {
    const part = await call({ action: "iot:ListCertificates", resource: "*" }, () =>
      iot.send(
        new ListCertificatesCommand({
          ascendingOrder: false,
          pageSize: 250,
          ...(marker === undefined ? {} : { marker }),
        }),
      ),
    );
    for (const one of part.certificates ?? []) {
      if ((one.creationDate?.getTime() ?? 0) < since) {
        return;
      }
      yield one;
    }
    marker = part.nextMarker;
    if (marker === undefined) {
      return;
    }
  }
}

async function certificateWithId(access: AwsAccess, id: string): Promise<IssuedCertificate | undefined> {
  const { DescribeCertificateCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:DescribeCertificate", resource: id }, () =>
    iot.send(new DescribeCertificateCommand({ certificateId: id })),
  );
  const {
    certificateArn: arn = "",
    certificatePem: pem = "",
    status = "INACTIVE",
  } = found?.certificateDescription ?? {};
  return found === undefined ? undefined : { arn, id, pem, status };
}

export function keyOf(certificatePem: string): Buffer {
  return new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
}

export async function certificatesOf(access: AwsAccess, thingName: string): Promise<IssuedCertificate[]> {
  const { ListThingPrincipalsCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { principals = [] } = await call({ action: "iot:ListThingPrincipals", resource: thingName }, () =>
    iot.send(new ListThingPrincipalsCommand({ thingName })),
  );
  const found = await Promise.all(
    principals.map((arn) => certificateWithId(access, arn.slice(arn.lastIndexOf("/") + 1))),
  );
  return found.filter((one) => one !== undefined);
}

/**
 * A new certificate. It is active from the beginning: the key is here alone, and without a policy it allows nothing.
 */
export async function newCertificate(
  access: AwsAccess,
  thingName: string,
  csr: string,
  journal: CertificateJournal,
): Promise<IssuedCertificate> {
  const { CreateCertificateFromCsrCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await journal.asked(thingName);
  const made = await call({ action: "iot:CreateCertificateFromCsr", resource: thingName }, () =>
    iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: true })),
  );
  await journal.made(thingName, made.certificateId ?? "");
  return {
    arn: made.certificateArn ?? "",
    id: made.certificateId ?? "",
    pem: made.certificatePem ?? "",
    status: "ACTIVE",
  };
}

/** Activates or deactivates the certificate, unless it is so already. */
export async function setStatus(
  access: AwsAccess,
  { id, status }: IssuedCertificate,
  newStatus: CertificateStatus,
): Promise<void> {
  if (status === newStatus) {
    return;
  }
  const { UpdateCertificateCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await call({ action: "iot:UpdateCertificate", resource: id }, () =>
    iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus })),
  );
}

/**
 * Takes the certificate from its thing and its policies, and deletes it, in the only order that AWS allows.
 */
export async function removeCertificate(
  access: AwsAccess,
  thingName: string,
  certificate: IssuedCertificate,
): Promise<void> {
  const { DeleteCertificateCommand, DetachThingPrincipalCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await setStatus(access, certificate, "INACTIVE");
  await detachAll(access, certificate.arn);
  // The thing is the only way to find the certificate again: it goes last.
  await call({ action: "iot:DetachThingPrincipal", resource: thingName }, () =>
    iot.send(new DetachThingPrincipalCommand({ thingName, principal: certificate.arn })),
  );
  await deletion({ action: "iot:DeleteCertificate", resource: certificate.id }, () =>
    iot.send(new DeleteCertificateCommand({ certificateId: certificate.id })),
  );
}
