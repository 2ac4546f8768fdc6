import { ProblemError, shown } from "../problem/index.ts";

/** The tag of every role, policy, group and alias that DosPesos made: the name of its instance. */
export const INSTANCE_TAG = "dospesos:instance";

/** The same of a thing, which carries attributes instead of tags; their names allow other characters. */
export const INSTANCE_ATTRIBUTE = "dospesos_instance";

interface Tag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/** The tags of a new resource of the instance. */
export function instanceTags(instance: string): { Key: string; Value: string }[] {
  return [{ Key: INSTANCE_TAG, Value: instance }];
}

/** The instance that a resource belongs to, or undefined where DosPesos did not make it. */
export function instanceOf(tags: readonly Tag[] | undefined): string | undefined {
  return tags?.find((tag) => tag.Key === INSTANCE_TAG)?.Value;
}

/**
 * Checks that an existing resource was made by this instance, so that nothing of anybody else's is ever
 * changed.
 * @throws ProblemError with exit code 4.
 */
export function checkOwner(resource: string, owner: string | undefined, instance: string): void {
  if (owner === instance) {
    return;
  }
  const whose = owner === undefined ? "was not made by DosPesos" : `belongs to the instance ${shown(owner)}`;
  throw new ProblemError([
    {
      code: "DP612",
      what: `${resource} exists already and ${whose}`,
      why: `the instance ${shown(instance)} changes only what it made itself`,
      fix:
        "choose another name in settings.ini, or name the instance as before, or remove " +
        "the resource; a sandbox begins anew without terraform/state/sandbox",
    },
  ]);
}
