import { jobExecutionOperations } from "../greengrass/job-executions.ts";
import { certificateOperations } from "./certificates.ts";
import { connectivityOperations } from "./connectivity.ts";
import { endpointOperations } from "./endpoint.ts";
import { groupOperations } from "./groups.ts";
import { policyAttachmentOperations } from "./policy-attachments.ts";
import { policyOperations } from "./policies.ts";
import { principalOperations } from "./principals.ts";
import { provisioningOperations } from "./provisioning-templates.ts";
import { roleAliasOperations } from "./role-aliases.ts";
import { taggingOperations } from "./tagging.ts";
import { thingOperations } from "./things.ts";

/** The control plane of AWS IoT Core that the sandbox knows (API version 2015-05-28). */
export const iotOperations = [
  ...endpointOperations,
  ...connectivityOperations,
  ...taggingOperations,
  ...thingOperations,
  ...principalOperations,
  ...groupOperations,
  ...certificateOperations,
  ...policyOperations,
  ...policyAttachmentOperations,
  ...roleAliasOperations,
  ...provisioningOperations,
  ...jobExecutionOperations,
];
