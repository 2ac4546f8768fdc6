import type { Settings } from "../settings/index.ts";
import type { Screen } from "../ui/screen.ts";

/**
 * From how many cores or things on the registry's API is advised. Each Terraform state of its own costs seconds of a
 * processor whenever it is applied; AWS's registry takes ten new ones a second.
 */
const MANY = 100;

/** What goes with a plan: that many devices have a Terraform state each. */
export function advise(settings: Settings, emit: Screen): void {
  const byTerraform = (all: Iterable<{ readonly registry: string }>): number =>
    [...all].filter(({ registry }) => registry === "terraform").length;
  const [cores, things] = [byTerraform(settings.cores), byTerraform(settings.things)];
  if (Math.max(cores, things) >= MANY) {
    emit({ type: "many-states", cores, things });
  }
}
