import { managedPolicyOperations } from "./managed-policies.ts";
import { rolePolicyOperations } from "./role-policies.ts";
import { roleOperations } from "./roles.ts";

/** The part of AWS IAM that the sandbox knows (API version 2010-05-08). */
export const iamOperations = [...roleOperations, ...rolePolicyOperations, ...managedPolicyOperations];
