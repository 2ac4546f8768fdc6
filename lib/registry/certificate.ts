import { X509Certificate } from "node:crypto";
import type { Certificate, CertificateStatus } from "@aws-sdk/client-iot";
import { call, deletion, lookUp, type AwsCall } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { LostAnswer, notTwice } from "../aws/lost-answer.ts";
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

/** How often a certificate is asked for where answers are lost. */
const TRIES = 3;

/**
 * A new certificate. It is active from the beginning: the key is here alone, and without a policy it allows nothing.
 * Where AWS's answer is lost, the certificate that was made all the same is looked for before another is asked for.
 */
export async function newCertificate(
  access: AwsAccess,
  thingName: string,
  csr: string,
  journal: CertificateJournal,
): Promise<IssuedCertificate> {
  await journal.asked(thingName);
  for (let left = TRIES; ; left--) {
    try {
      const made = await askForCertificate(access, thingName, csr);
      await journal.made(thingName, made.id);
      return made;
    } catch (error) {
      if (!(error instanceof LostAnswer)) {
        throw error;
      }
      const found = await unattachedCertificate(access, thingName, await requestedKey(csr), journal);
      if (found !== undefined) {
        await journal.made(thingName, found.id);
        return found;
      }
      if (left === 1) {
        return await call(certificateFrom(thingName), () => Promise.reject(error.instead));
      }
    }
  }
}

const certificateFrom = (thingName: string): AwsCall => ({
  action: "iot:CreateCertificateFromCsr",
  resource: thingName,
});

async function askForCertificate(
  access: AwsAccess,
  thingName: string,
  certificateSigningRequest: string,
): Promise<IssuedCertificate> {
  const { CreateCertificateFromCsrCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const command = new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true });
  const made = await call(certificateFrom(thingName), () => iot.send(notTwice(command)));
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
