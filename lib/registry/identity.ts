import { call, lookUp } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { checkOwner, INSTANCE_ATTRIBUTE } from "../aws/ownership.ts";
import { privateKeyFile } from "../layout.ts";
import { requestedKey } from "../pki/keypair.ts";
import { ProblemError } from "../problem/index.ts";
import type { RegistryAccess } from "./access.ts";
import {
  certificateFor,
  certificatesOf,
  keyOf,
  newCertificate,
  removeCertificate,
  setStatus,
} from "./certificate.ts";
import type { IssuedCertificate } from "./certificate.ts";
import type { CertificateJournal } from "./certificate-journal.ts";
import { convergePolicy, createPolicy } from "./iot-policy.ts";
import { attachPolicies, convergeAttachments } from "./policy-attachment.ts";
import type { ThingOutputs } from "../modules/contract.ts";

/** A thing that can authenticate itself. */
export interface Identity {
  readonly instance: string;
  readonly name: string;
  readonly csr: string;
  /** The request for the certificate that is to follow, or empty. */
  readonly nextCsr: string;
  /** Its own IoT policy: a name, and JSON. */
  readonly policy: { readonly name: string; readonly document: string };
  /** Names of further policies of its certificate; they exist. */
  readonly sharedPolicies: readonly string[];
}

/** A thing with its certificate, as who made it or found it knows it. */
export interface RegisteredThing extends Omit<ThingOutputs, "revision"> {
  /** Whether this run made the thing: then nothing else is known of it. */
  readonly isNew: boolean;
}

/**
 * Makes the thing, its policy, and its one active certificate for the request's key what they shall be; while the
 * identity is rotated there are two. A certificate for another key is removed once the new one works. A thing that
 * does not exist yet needs five calls, and nothing is looked for.
 * @throws ProblemError (exit 4) where a thing or policy of that name is not the instance's.
 */
export async function convergeIdentity(
  { access, certificates: journal, replacesIdentities }: RegistryAccess,
  identity: Identity,
): Promise<RegisteredThing> {
  const { arn, isNew } = await convergeThing(access, identity.name, identity.instance);
  const certificate =
    isNew && identity.nextCsr === ""
      ? await firstCertificate(access, identity, journal)
      : await convergeCertificates(access, identity, journal, replacesIdentities);
  return {
    thing_name: identity.name,
    thing_arn: arn,
    certificate_arn: certificate.arn,
    certificate_id: certificate.id,
    certificate_pem: certificate.pem,
    isNew,
  };
}

/** The certificate of a thing that was made a moment ago: what belongs to it cannot be there yet. */
async function firstCertificate(
  access: AwsAccess,
  identity: Identity,
  journal: CertificateJournal,
): Promise<IssuedCertificate> {
  const { name, policy, sharedPolicies, instance } = identity;
  const [certificate] = await Promise.all([
    newCertificate(access, name, identity.csr, journal),
    createPolicy(access, policy.name, policy.document, instance),
  ]);
  await Promise.all([
    attachPrincipal(access, name, certificate.arn),
    attachPolicies(access, certificate.arn, [...sharedPolicies, policy.name]),
  ]);
  journal.attached(name);
  return certificate;
}

async function convergeCertificates(
  access: AwsAccess,
  identity: Identity,
  journal: CertificateJournal,
  replacesIdentities: boolean,
): Promise<IssuedCertificate> {
  const { name, policy, instance } = identity;
  if (!replacesIdentities) {
    await guardIdentity(access, identity);
  }
  await convergePolicy(access, policy.name, policy.document, instance);
  const kept: IssuedCertificate[] = [];
  let others: readonly IssuedCertificate[] = [];
  for (const csr of [identity.csr, identity.nextCsr].filter((one) => one !== "")) {
    const { certificate, isNew, superseded } = await certificateFor(access, name, csr, journal);
    await convergeAttachments(
      access,
      certificate.arn,
      [...identity.sharedPolicies, policy.name],
      identity.instance,
    );
    if (isNew) {
      await attachPrincipal(access, name, certificate.arn);
      journal.attached(name);
    }
    await setStatus(access, certificate, "ACTIVE");
    kept.push(certificate);
    others = superseded;
  }
  const isKept = ({ id }: IssuedCertificate): boolean => kept.some((one) => one.id === id);
  for (const old of others.filter((one) => !isKept(one))) {
    await removeCertificate(access, name, old);
  }
  return kept.at(-1)!;
}

/**
 * A device that runs has the key of its certificate: another key here is a mistake, and no new identity.
 * @throws ProblemError with exit code 4.
 */
async function guardIdentity(access: AwsAccess, { name, csr }: Identity): Promise<void> {
  const present = await certificatesOf(access, name);
  const key = await requestedKey(csr);
  if (present.length === 0 || present.some((one) => keyOf(one.pem).equals(key))) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP617",
      location: { file: privateKeyFile(name) },
      what: `the certificate of ${name} was issued for another key`,
      why: "a device that runs has that key; a build never replaces an identity",
      fix:
        `bring ${privateKeyFile(name)} from whoever installed the device; or give it another identity: ` +
        `dospesos rotate ${name}`,
    },
  ]);
}

async function convergeThing(
  access: AwsAccess,
  thingName: string,
  instance: string,
): Promise<{ arn: string; isNew: boolean }> {
  const { CreateThingCommand, DescribeThingCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:DescribeThing", resource: thingName }, () =>
    iot.send(new DescribeThingCommand({ thingName })),
  );
  if (found !== undefined) {
    checkOwner(`the thing ${thingName}`, found.attributes?.[INSTANCE_ATTRIBUTE], instance);
    return { arn: found.thingArn ?? "", isNew: false };
  }
  const made = await call({ action: "iot:CreateThing", resource: thingName }, () =>
    iot.send(
      new CreateThingCommand({
        thingName,
        attributePayload: { attributes: { [INSTANCE_ATTRIBUTE]: instance } },
      }),
    ),
  );
  return { arn: made.thingArn ?? "", isNew: true };
}

async function attachPrincipal(access: AwsAccess, thingName: string, principal: string): Promise<void> {
  const { AttachThingPrincipalCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await call({ action: "iot:AttachThingPrincipal", resource: thingName }, () =>
    iot.send(new AttachThingPrincipalCommand({ thingName, principal })),
  );
}
