import { createHash } from "node:crypto";
import { glob, json, type FileValue } from "dospesos";

/** The sources of a module, for who renders its variables. */
export const sourcesOf = (module: "instance" | "core" | "thing") => glob(`terraform/${module}/*.tf`);

/**
 * A Terraform variables file. `revision` is a digest of the other variables and of the module's sources. It
 * comes back as an output when all of the module is applied, so that one can tell what a state was applied
 * with.
 */
export function variables<V extends { readonly revision: string }>(
  values: Omit<V, "revision">,
  sources: readonly FileValue[],
): string {
  const revision = createHash("sha256")
    .update(JSON.stringify([values, sources.map((source) => source.text)]))
    .digest("hex")
    .slice(0, 16);
  return json({ ...values, revision });
}
