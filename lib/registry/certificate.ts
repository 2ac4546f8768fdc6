import { X509Certificate } from "node:crypto";
import type { CertificateStatus } from "@aws-sdk/client-iot";
import { call, deletion } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { requestedKey } from "../pki/keypair.ts";
import { detachAll } from "./policy-attachment.ts";

export interface IssuedCertificate {
  readonly arn: string;
  readonly id: string;
  readonly pem: string;
  readonly status: CertificateStatus;
}

/**
 * The thing's certificate for the key of the request, and its certificates for other keys. Where it has none
 * yet, one is made, not yet attached, and inactive, so that a run that ends here leaves nothing behind that
 * could log in.
 */
export async function certificateFor(
  access: AwsAccess,
  thingName: string,
  csr: string,
): Promise<{ certificate: IssuedCertificate; isNew: boolean; superseded: IssuedCertificate[] }> {
  const key = await requestedKey(csr);
  const present = await certificatesOf(access, thingName);
  const kept = present.find(({ pem }) => keyOf(pem).equals(key));
  const certificate = kept ?? (await createCertificate(access, thingName, csr));
  return { certificate, isNew: kept === undefined, superseded: present.filter((each) => each !== kept) };
}

function keyOf(certificatePem: string): Buffer {
  return new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
}

async function certificatesOf(access: AwsAccess, thingName: string): Promise<IssuedCertificate[]> {
  const { DescribeCertificateCommand, ListThingPrincipalsCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { principals = [] } = await call({ action: "iot:ListThingPrincipals", resource: thingName }, () =>
    iot.send(new ListThingPrincipalsCommand({ thingName })),
  );
  return await Promise.all(
    principals.map(async (arn) => {
      const id = arn.slice(arn.lastIndexOf("/") + 1);
      const { certificateDescription: found } = await call(
        { action: "iot:DescribeCertificate", resource: id },
        () => iot.send(new DescribeCertificateCommand({ certificateId: id })),
      );
      return { arn, id, pem: found?.certificatePem ?? "", status: found?.status ?? "INACTIVE" };
    }),
  );
}

async function createCertificate(
  access: AwsAccess,
  thingName: string,
  csr: string,
): Promise<IssuedCertificate> {
  const { CreateCertificateFromCsrCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const made = await call({ action: "iot:CreateCertificateFromCsr", resource: thingName }, () =>
    iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: false })),
  );
  return {
    arn: made.certificateArn ?? "",
    id: made.certificateId ?? "",
    pem: made.certificatePem ?? "",
    status: "INACTIVE",
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
