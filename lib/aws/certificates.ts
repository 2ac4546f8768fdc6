import { X509Certificate } from "node:crypto";
import { call, deletion, lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";

export interface CertificateSearch {
  /** DER of the public key (SubjectPublicKeyInfo). */
  readonly key: Buffer;
  /** The thing that the certificate may be attached to. */
  readonly thing: string;
  /** Also certificates that nothing refers to, made since then, in milliseconds since 1970. */
  readonly since?: number;
}

/** How much AWS's clock and this one may differ. */
const SKEW = 5 * 60_000;

/**
 * The ids of certificates that were issued for a public key: those of the thing, and those of all that were
 * made lately. Nobody else can use them, for nobody else has the private key.
 */
export async function certificatesFor(
  access: AwsAccess,
  { key, thing, since }: CertificateSearch,
): Promise<string[]> {
  const { DescribeCertificateCommand, ListThingPrincipalsCommand, paginateListCertificates } =
    await import("@aws-sdk/client-iot");
  const client = await access.iot();
  const principals = await lookUp({ action: "iot:ListThingPrincipals", resource: thing }, () =>
    client.send(new ListThingPrincipalsCommand({ thingName: thing })),
  );
  const ids = new Set((principals?.principals ?? []).map((arn) => arn.slice(arn.lastIndexOf("/") + 1)));
  if (since !== undefined) {
    await call({ action: "iot:ListCertificates", resource: thing }, async () => {
      // The newest first: what was made before is not looked at.
      for await (const { certificates = [] } of paginateListCertificates(
        { client, pageSize: 250 },
        { ascendingOrder: false },
      )) {
        const young = certificates.filter(
          ({ creationDate }) => (creationDate?.getTime() ?? 0) >= since - SKEW,
        );
        for (const { certificateId } of young) {
          if (certificateId !== undefined) {
            ids.add(certificateId);
          }
        }
        if (young.length < certificates.length) {
          return;
        }
      }
    });
  }
  const found: string[] = [];
  for (const certificateId of ids) {
    const answer = await lookUp({ action: "iot:DescribeCertificate", resource: certificateId }, () =>
      client.send(new DescribeCertificateCommand({ certificateId })),
    );
    const pem = answer?.certificateDescription?.certificatePem;
    if (
      pem !== undefined &&
      new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" }).equals(key)
    ) {
      found.push(certificateId);
    }
  }
  return found;
}

/**
 * Deletes a certificate in the only order that AWS allows: deactivated, taken from its policies and things,
 * deleted (https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteCertificate.html). One that is gone
 * is no error.
 */
export async function deleteCertificate(access: AwsAccess, certificateId: string): Promise<void> {
  const {
    DeleteCertificateCommand,
    DescribeCertificateCommand,
    DetachPolicyCommand,
    DetachThingPrincipalCommand,
    ListAttachedPoliciesCommand,
    ListPrincipalThingsCommand,
    UpdateCertificateCommand,
  } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const operation = (action: string) => ({ action: `iot:${action}`, resource: certificateId });
  const found = (
    await lookUp(operation("DescribeCertificate"), () =>
      iot.send(new DescribeCertificateCommand({ certificateId })),
    )
  )?.certificateDescription;
  if (found === undefined) {
    return;
  }
  const principal = found.certificateArn ?? "";
  if (found.status === "ACTIVE") {
    await call(operation("UpdateCertificate"), () =>
      iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" })),
    );
  }
  const { policies = [] } = await call(operation("ListAttachedPolicies"), () =>
    iot.send(new ListAttachedPoliciesCommand({ target: principal })),
  );
  for (const { policyName } of policies) {
    await call(operation("DetachPolicy"), () =>
      iot.send(new DetachPolicyCommand({ policyName, target: principal })),
    );
  }
  const { things = [] } = await call(operation("ListPrincipalThings"), () =>
    iot.send(new ListPrincipalThingsCommand({ principal })),
  );
  for (const thingName of things) {
    await call(operation("DetachThingPrincipal"), () =>
      iot.send(new DetachThingPrincipalCommand({ thingName, principal })),
    );
  }
  await deletion(operation("DeleteCertificate"), () =>
    iot.send(new DeleteCertificateCommand({ certificateId })),
  );
}
