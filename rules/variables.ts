import { createHash } from "node:crypto";
import { json } from "dospesos";

/**
 * A Terraform variables file. `revision` is a digest of the other variables that comes back as an output, so that one can tell
 * which variables a state was applied with.
 */
export function variables<V extends { readonly revision: string }>(values: Omit<V, "revision">): string {
  const revision = createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 16);
  return json({ ...values, revision });
}
