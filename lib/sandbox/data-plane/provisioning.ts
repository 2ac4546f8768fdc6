import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { readCsr } from "../../pki/ca.ts";
import type { Account, Region } from "../account.ts";
import { newCertificate, newKey } from "../iot/certificates.ts";
import { BadParameters, carryOut, templateIn } from "../iot/provisioning.ts";
import { objectIn, type Message, type Outcome } from "./messages.ts";

/** An ownership token is good for so long, in seconds. */
const TOKEN_SECONDS = 3600;

const CERTIFICATES = /^\$aws\/certificates\/(create-from-csr|create)\/json$/;
const PROVISION = /^\$aws\/provisioning-templates\/([^/]+)\/provision\/json$/;

const provision = v.object({
  certificateOwnershipToken: v.string(),
  parameters: v.optional(v.record(v.string(), v.string()), {}),
});

export interface Provisioning {
  /** Undefined where the topic is none of provisioning. */
  take: (message: Message) => Promise<Outcome> | undefined;
}

/**
 * Fleet provisioning by claim over MQTT (https://docs.aws.amazon.com/iot/latest/developerguide/fleet-provision-api.html).
 * A template's pre-provisioning hook is here a list: the file hooks/FUNCTION.txt beside the account's, with one
 * allowed value of a parameter on each line.
 */
export function provisioning(
  account: Account,
  region: Region,
  home: string,
  log: (line: string) => void,
): Provisioning {
  const tokens = new Map<string, { readonly certificate: string; readonly until: number }>();
  const rejected = (topic: string, errorCode: string, errorMessage: string): Outcome => {
    log(`${topic}: ${errorCode}: ${errorMessage}`);
    return {
      answers: [{ topic: `${topic}/rejected`, document: { statusCode: 400, errorCode, errorMessage } }],
    };
  };
  const accepted = (topic: string, document: object): Outcome => ({
    answers: [{ topic: `${topic}/accepted`, document }],
    changed: true,
  });

  const certify = async ({ topic, text, now }: Message, withCsr: boolean): Promise<Outcome> => {
    const said = objectIn(text);
    const made = withCsr ? undefined : newKey();
    const csr =
      typeof said?.["certificateSigningRequest"] === "string" ? said["certificateSigningRequest"] : "";
    const request = made?.request ?? (await readCsr(csr).catch((error: unknown) => (error as Error).message));
    if (typeof request === "string") {
      return rejected(topic, "InvalidCertificateSigningRequest", request);
    }
    const certificate = await newCertificate(account, region, now, request);
    const token = randomBytes(48).toString("base64url");
    tokens.set(token, { certificate: certificate.id, until: now + TOKEN_SECONDS });
    return accepted(topic, {
      certificateId: certificate.id,
      certificatePem: certificate.pem,
      ...(made === undefined ? {} : { privateKey: made.privatePem }),
      certificateOwnershipToken: token,
    });
  };

  const register = ({ topic, text, now }: Message, name: string): Outcome => {
    const template = region.templates.get(name);
    if (template?.enabled !== true) {
      return rejected(topic, "InvalidParameters", `there is no enabled template ${name}`);
    }
    const said = v.safeParse(provision, objectIn(text));
    if (!said.success) {
      return rejected(topic, "InvalidParameters", said.issues[0].message);
    }
    const { certificateOwnershipToken, parameters } = said.output;
    const token = tokens.get(certificateOwnershipToken);
    const certificate =
      token === undefined || token.until < now ? undefined : region.certificates.get(token.certificate);
    if (certificate === undefined) {
      return rejected(
        topic,
        "InvalidCertificateOwnershipToken",
        "the token is of no certificate, or too old",
      );
    }
    const refusal = template.hook === undefined ? undefined : hookRefusal(home, template.hook, parameters);
    if (refusal !== undefined) {
      return rejected(topic, "AccessDenied", refusal);
    }
    try {
      const thingName = carryOut(region, templateIn(template.body), parameters, certificate);
      tokens.delete(certificateOwnershipToken);
      log(`${thingName} was provisioned by the template ${name}`);
      return accepted(topic, { deviceConfiguration: {}, thingName });
    } catch (error) {
      const code = error instanceof BadParameters ? "InvalidParameters" : "InvalidProvisioningTemplate";
      return rejected(topic, code, (error as Error).message);
    }
  };

  return {
    take: (message) => {
      const [, kind] = CERTIFICATES.exec(message.topic) ?? [];
      if (kind !== undefined) {
        return certify(message, kind === "create-from-csr");
      }
      const [, template] = PROVISION.exec(message.topic) ?? [];
      return template === undefined ? undefined : Promise.resolve(register(message, template));
    },
  };
}

/** Why the hook does not let the device in. */
function hookRefusal(
  home: string,
  arn: string,
  parameters: Readonly<Record<string, string>>,
): string | undefined {
  const name = (arn.split(":").at(-1) ?? "").replaceAll(/[^A-Za-z0-9_-]/g, "_");
  const file = join(home, "hooks", `${name}.txt`);
  if (!existsSync(file)) {
    return `the pre-provisioning hook ${name} has no list: ${file}`;
  }
  const allowed = new Set(
    readFileSync(file, "utf8")
      .split(/\r?\n/)
      .filter((line) => line !== ""),
  );
  return Object.values(parameters).some((value) => allowed.has(value))
    ? undefined
    : `none of the parameters is on the list of the pre-provisioning hook ${name}`;
}
