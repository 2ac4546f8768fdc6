import { call, lookUp } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { checkOwner, INSTANCE_ATTRIBUTE } from "../aws/ownership.ts";
import { certificateFor, removeCertificate, setStatus, type IssuedCertificate } from "./certificate.ts";
import { convergePolicy } from "./iot-policy.ts";
import { convergeAttachments } from "./policy-attachment.ts";
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
  readonly revision: string;
}

/**
 * Makes the thing, its policy, and its one active certificate for the request's key what they shall be; while the
 * identity is rotated there are two. A certificate for another key is removed once the new one works.
 * @throws ProblemError (exit 4) where a thing or policy of that name is not the instance's.
 */
export async function convergeIdentity(access: AwsAccess, identity: Identity): Promise<ThingOutputs> {
  const thingArn = await convergeThing(access, identity.name, identity.instance);
  await convergePolicy(access, identity.policy.name, identity.policy.document, identity.instance);
  const kept: IssuedCertificate[] = [];
  let others: readonly IssuedCertificate[] = [];
  for (const csr of [identity.csr, identity.nextCsr].filter((one) => one !== "")) {
    const { certificate, isNew, superseded } = await certificateFor(access, identity.name, csr);
    await convergeAttachments(
      access,
      certificate.arn,
      [...identity.sharedPolicies, identity.policy.name],
      identity.instance,
    );
    if (isNew) {
      await attachPrincipal(access, identity.name, certificate.arn);
    }
    await setStatus(access, certificate, "ACTIVE");
    kept.push(certificate);
    others = superseded;
  }
  const isKept = ({ id }: IssuedCertificate): boolean => kept.some((one) => one.id === id);
  for (const old of others.filter((one) => !isKept(one))) {
    await removeCertificate(access, identity.name, old);
  }
  const certificate = kept.at(-1)!;
  return {
    thing_name: identity.name,
    thing_arn: thingArn,
    certificate_arn: certificate.arn,
    certificate_id: certificate.id,
    certificate_pem: certificate.pem,
    revision: identity.revision,
  };
}

async function convergeThing(access: AwsAccess, thingName: string, instance: string): Promise<string> {
  const { CreateThingCommand, DescribeThingCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:DescribeThing", resource: thingName }, () =>
    iot.send(new DescribeThingCommand({ thingName })),
  );
  if (found !== undefined) {
    checkOwner(`the thing ${thingName}`, found.attributes?.[INSTANCE_ATTRIBUTE], instance);
    return found.thingArn ?? "";
  }
  const made = await call({ action: "iot:CreateThing", resource: thingName }, () =>
    iot.send(
      new CreateThingCommand({
        thingName,
        attributePayload: { attributes: { [INSTANCE_ATTRIBUTE]: instance } },
      }),
    ),
  );
  return made.thingArn ?? "";
}

async function attachPrincipal(access: AwsAccess, thingName: string, principal: string): Promise<void> {
  const { AttachThingPrincipalCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await call({ action: "iot:AttachThingPrincipal", resource: thingName }, () =>
    iot.send(new AttachThingPrincipalCommand({ thingName, principal })),
  );
}
