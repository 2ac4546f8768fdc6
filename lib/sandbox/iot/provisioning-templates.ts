import * as v from "valibot";
import type { ProvisioningTemplate, Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { newCertificate, newKey } from "./certificates.ts";
import { templateIn } from "./provisioning.ts";
import { alreadyExists, invalid, notFound } from "./registry.ts";

const templateName = v.pipe(v.string(), v.regex(/^[0-9A-Za-z_-]{1,36}$/));
const hook = v.strictObject({ payloadVersion: v.optional(v.string()), targetArn: v.string() });

function templateNamed(region: Region, name: string): ProvisioningTemplate {
  const found = region.templates.get(name);
  if (found === undefined) {
    throw notFound(`Provisioning template ${name}`);
  }
  return found;
}

function arnOf(region: Region, name: string): string {
  return iotArn(region, `provisioningtemplate/${name}`);
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/provision-wo-cert.html; one version of each template. */
export const provisioningOperations = [
  rest(
    "iot",
    "CreateProvisioningTemplate",
    "POST /provisioning-templates",
    {
      templateName,
      description: v.optional(v.string()),
      templateBody: v.string(),
      enabled: v.optional(v.boolean(), false),
      provisioningRoleArn: v.string(),
      preProvisioningHook: v.optional(hook),
      tags: v.optional(v.array(v.strictObject({ Key: v.string(), Value: v.string() })), []),
      type: v.optional(v.literal("FLEET_PROVISIONING")),
    },
    ({ region, now }, input) => {
      const name = input.templateName;
      if (region.templates.has(name)) {
        throw alreadyExists(`Provisioning template ${name}`, name, arnOf(region, name));
      }
      try {
        templateIn(input.templateBody);
      } catch (error) {
        throw invalid(
          `The template body is not valid: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      region.templates.set(name, {
        name,
        body: input.templateBody,
        enabled: input.enabled,
        roleArn: input.provisioningRoleArn,
        tags: input.tags,
        createdAt: now,
        modifiedAt: now,
        ...(input.description === undefined ? {} : { description: input.description }),
        ...(input.preProvisioningHook === undefined ? {} : { hook: input.preProvisioningHook.targetArn }),
      });
      return { templateArn: arnOf(region, name), templateName: name, defaultVersionId: 1 };
    },
  ),

  rest(
    "iot",
    "DescribeProvisioningTemplate",
    "GET /provisioning-templates/{templateName}",
    { templateName },
    ({ region }, input) => {
      const {
        name,
        description,
        body,
        enabled,
        roleArn,
        hook: targetArn,
        createdAt,
        modifiedAt,
      } = templateNamed(region, input.templateName);
      return {
        templateArn: arnOf(region, name),
        templateName: name,
        description,
        creationDate: createdAt,
        lastModifiedDate: modifiedAt,
        defaultVersionId: 1,
        templateBody: body,
        enabled,
        provisioningRoleArn: roleArn,
        type: "FLEET_PROVISIONING",
        ...(targetArn === undefined
          ? {}
          : { preProvisioningHook: { payloadVersion: "2020-04-01", targetArn } }),
      };
    },
  ),

  rest(
    "iot",
    "ListProvisioningTemplates",
    "GET /provisioning-templates",
    { maxResults: v.optional(integer), nextToken: v.optional(v.string()) },
    ({ region }, input) => {
      const { entries, next } = page([...region.templates.values()], input.maxResults, input.nextToken);
      const templates = entries.map(({ name, enabled, createdAt, modifiedAt }) => ({
        templateArn: arnOf(region, name),
        templateName: name,
        creationDate: createdAt,
        lastModifiedDate: modifiedAt,
        enabled,
        type: "FLEET_PROVISIONING",
      }));
      return { templates, nextToken: next };
    },
  ),

  rest(
    "iot",
    "DeleteProvisioningTemplate",
    "DELETE /provisioning-templates/{templateName}",
    { templateName },
    ({ region }, input) => {
      region.templates.delete(templateNamed(region, input.templateName).name);
      return {};
    },
  ),

  // A claim for one device, by a person with a phone. AWS lets it expire in five minutes, the sandbox does not.
  rest(
    "iot",
    "CreateProvisioningClaim",
    "POST /provisioning-templates/{templateName}/provisioning-claim",
    { templateName },
    async ({ account, region, now }, input) => {
      templateNamed(region, input.templateName);
      const { request, publicPem, privatePem } = newKey();
      const certificate = await newCertificate(account, region, now, request, "ACTIVE");
      return {
        certificateId: certificate.id,
        certificatePem: certificate.pem,
        keyPair: { PublicKey: publicPem, PrivateKey: privatePem },
        expiration: now + 300,
      };
    },
  ),
];
