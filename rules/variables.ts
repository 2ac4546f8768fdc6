import { createHash } from "node:crypto";
import { glob, json, moduleSources, type FileValue } from "dospesos";

/** The sources of a module, for who renders its variables. */
export const sourcesOf = (module: "instance" | "core" | "thing") => glob(moduleSources(module));

/**
 * A Terraform variables file. `revision` is a digest of the other variables and of the module's sources. It
 * comes back as an output when all of the module is applied, so that one can tell what a state was applied
 * with.
 */
export function variables<V extends { readonly revision: string }>(
  values: Omit<V, "revision">,
  sources: readonly FileValue[],
): string {
  const files = sources.map(({ path, bytes }) => [path, sha256(bytes)]);
  return json({ ...values, revision: sha256(JSON.stringify([values, files])).slice(0, 16) });
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
