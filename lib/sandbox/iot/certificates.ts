import { generateKeyPairSync, X509Certificate } from "node:crypto";
import * as v from "valibot";
import type { Account, Certificate, Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { certificateId as idOf, issueCertificate, readCsr, type CertificateRequest } from "../../pki/ca.ts";
import { flag, integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { certificateNamed, deleteConflict, invalid } from "./registry.ts";

const certificateId = v.pipe(v.string(), v.regex(/^[a-fA-F0-9]{64}$/));

/** A new certificate of the account. */
export async function newCertificate(
  account: Account,
  region: Region,
  now: number,
  request: CertificateRequest,
  status: Certificate["status"] = "INACTIVE",
): Promise<Certificate> {
  const pem = await issueCertificate(account.identity.ca, request);
  const certificate: Certificate = {
    id: idOf(pem),
    pem,
    status,
    createdAt: now,
    modifiedAt: now,
  };
  region.certificates.set(certificate.id, certificate);
  return certificate;
}

async function issued(
  account: Account,
  region: Region,
  now: number,
  request: CertificateRequest,
  active: boolean,
): Promise<object> {
  const certificate = await newCertificate(account, region, now, request, active ? "ACTIVE" : "INACTIVE");
  return {
    certificateArn: iotArn(region, `cert/${certificate.id}`),
    certificateId: certificate.id,
    certificatePem: certificate.pem,
  };
}

/** A key that the account makes for a device, and what a certificate for it is made from. */
export function newKey(): {
  readonly request: CertificateRequest;
  readonly publicPem: string;
  readonly privatePem: string;
} {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    request: {
      publicKey: publicKey.export({ type: "spki", format: "der" }),
      subject: "CN=AWS IoT Certificate",
    },
    publicPem: publicKey.export({ type: "spki", format: "pem" }) as string,
    privatePem: privateKey.export({ type: "pkcs1", format: "pem" }) as string,
  };
}

function described(account: Account, region: Region, certificate: Certificate): object {
  const { validFrom, validTo } = new X509Certificate(certificate.pem);
  return {
    certificateArn: iotArn(region, `cert/${certificate.id}`),
    certificateId: certificate.id,
    status: certificate.status,
    certificatePem: certificate.pem,
    ownedBy: account.identity.id,
    creationDate: certificate.createdAt,
    lastModifiedDate: certificate.modifiedAt,
    customerVersion: 1,
    generationId: certificate.id.slice(0, 32),
    validity: { notBefore: Date.parse(validFrom) / 1000, notAfter: Date.parse(validTo) / 1000 },
    certificateMode: "DEFAULT",
  };
}

/** Client certificates (https://docs.aws.amazon.com/iot/latest/developerguide/x509-client-certs.html). */
export const certificateOperations = [
  rest(
    "iot",
    "CreateCertificateFromCsr",
    "POST /certificates",
    {
      certificateSigningRequest: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
      setAsActive: v.optional(flag, false),
    },
    async ({ account, region, now }, input) => {
      const request = await readCsr(input.certificateSigningRequest).catch((error: unknown) => {
        throw invalid(`The CSR is invalid: ${error instanceof Error ? error.message : String(error)}`);
      });
      return await issued(account, region, now, request, input.setAsActive);
    },
  ),

  // The private key is in the answer only: neither AWS nor the sandbox keeps it.
  rest(
    "iot",
    "CreateKeysAndCertificate",
    "POST /keys-and-certificate",
    { setAsActive: v.optional(flag, false) },
    async ({ account, region, now }, input) => {
      const { request, publicPem, privatePem } = newKey();
      const keyPair = { PublicKey: publicPem, PrivateKey: privatePem };
      return { ...(await issued(account, region, now, request, input.setAsActive)), keyPair };
    },
  ),

  rest(
    "iot",
    "DescribeCertificate",
    "GET /certificates/{certificateId}",
    { certificateId },
    ({ account, region }, input) => ({
      certificateDescription: described(account, region, certificateNamed(region, input.certificateId)),
    }),
  ),

  rest(
    "iot",
    "UpdateCertificate",
    "PUT /certificates/{certificateId}",
    {
      certificateId,
      newStatus: v.picklist(["ACTIVE", "INACTIVE", "REVOKED"]),
    },
    ({ region, now }, input) => {
      const certificate = certificateNamed(region, input.certificateId);
      if (certificate.status === input.newStatus) {
        return undefined;
      }
      const draft = region.certificates.change(certificate.id);
      draft.status = input.newStatus;
      draft.modifiedAt = now;
      return undefined;
    },
  ),

  rest(
    "iot",
    "DeleteCertificate",
    "DELETE /certificates/{certificateId}",
    {
      certificateId,
      forceDelete: v.optional(flag, false),
    },
    ({ region }, input) => {
      const certificate = certificateNamed(region, input.certificateId);
      if (certificate.status === "ACTIVE") {
        throw deleteConflict(`Certificate ${certificate.id} is ACTIVE: deactivate it first`);
      }
      if (region.principals.rightOf(certificate.id).length > 0) {
        throw deleteConflict(`Certificate ${certificate.id} is attached to things`);
      }
      if (region.attachments.rightOf(certificate.id).length > 0 && !input.forceDelete) {
        throw deleteConflict(`Certificate ${certificate.id} has policies attached`);
      }
      region.certificates.delete(certificate.id);
      region.attachments.deleteAll({ left: certificate.id });
      return undefined;
    },
  ),

  rest(
    "iot",
    "ListCertificates",
    "GET /certificates",
    {
      pageSize: v.optional(integer),
      marker: v.optional(v.string()),
      isAscendingOrder: v.optional(flag),
    },
    ({ region }, input) => {
      const all = [...region.certificates.values()];
      const sorted = input.isAscendingOrder === true ? all : all.reverse();
      const { entries, next } = page(sorted, input.pageSize, input.marker);
      const certificates = entries.map(({ id, status, createdAt }) => ({
        certificateArn: iotArn(region, `cert/${id}`),
        certificateId: id,
        status,
        certificateMode: "DEFAULT",
        creationDate: createdAt,
      }));
      return { certificates, nextMarker: next };
    },
  ),
];
