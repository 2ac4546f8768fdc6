import { X509Certificate } from "node:crypto";
import { call } from "./call.ts";
import type { AwsAccess } from "./clients.ts";

/** Ids of the active certificates of a thing that are for another public key (DER, SubjectPublicKeyInfo). */
export async function activeWithOtherKey(
  access: AwsAccess,
  thingName: string,
  key: Buffer,
): Promise<string[]> {
  const { DescribeCertificateCommand, ListThingPrincipalsCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { principals = [] } = await call({ action: "iot:ListThingPrincipals", resource: thingName }, () =>
    iot.send(new ListThingPrincipalsCommand({ thingName })),
  );
  const found = await Promise.all(
    principals.map(async (arn) => {
      const certificateId = arn.slice(arn.lastIndexOf("/") + 1);
      const { certificateDescription: certificate } = await call(
        { action: "iot:DescribeCertificate", resource: certificateId },
        () => iot.send(new DescribeCertificateCommand({ certificateId })),
      );
      const isOther =
        certificate?.status === "ACTIVE" &&
        !new X509Certificate(certificate.certificatePem ?? "").publicKey
          .export({ type: "spki", format: "der" })
          .equals(key);
      return isOther ? [certificateId] : [];
    }),
  );
  return found.flat();
}

/** Activates or deactivates a certificate (https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCertificate.html). */
export async function setActive(access: AwsAccess, certificateId: string, isActive: boolean): Promise<void> {
  const { UpdateCertificateCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await call({ action: "iot:UpdateCertificate", resource: certificateId }, () =>
    iot.send(new UpdateCertificateCommand({ certificateId, newStatus: isActive ? "ACTIVE" : "INACTIVE" })),
  );
}
