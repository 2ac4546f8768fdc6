import * as v from "valibot";
import type { Region, Tag } from "../account.ts";
import { nameInArn } from "../arns.ts";
import { rest } from "../operation.ts";
import { tagKeyMember, tagMember, withoutTags, withTags } from "../tags.ts";
import { invalid, notFound } from "./registry.ts";

const resourceArn = v.string();

/**
 * The kinds of resource that carry tags. Things and certificates carry none: a thing has attributes instead.
 */
function tagged(region: Region, arn: string): { readonly tags: readonly Tag[]; set: (tags: Tag[]) => void } {
  const kinds = { thinggroup: region.groups, policy: region.policies, rolealias: region.aliases };
  for (const [type, resources] of Object.entries(kinds)) {
    const name = nameInArn(region, arn, type);
    if (name === undefined) {
      continue;
    }
    const found = resources.get(name);
    if (found === undefined) {
      throw notFound(arn);
    }
    return { tags: found.tags, set: (tags) => (resources.change(name).tags = tags) };
  }
  throw invalid(`${arn} is not a resource that carries tags in this account and region`);
}

/** Tags of IoT resources (https://docs.aws.amazon.com/iot/latest/developerguide/tagging-iot.html). */
export const taggingOperations = [
  rest(
    "iot",
    "ListTagsForResource",
    "GET /tags",
    { resourceArn, nextToken: v.optional(v.string()) },
    ({ region }, input) => ({ tags: tagged(region, input.resourceArn).tags }),
  ),

  rest("iot", "TagResource", "POST /tags", { resourceArn, tags: v.array(tagMember) }, ({ region }, input) => {
    const resource = tagged(region, input.resourceArn);
    resource.set(withTags(resource.tags, input.tags));
    return {};
  }),

  rest(
    "iot",
    "UntagResource",
    "POST /untag",
    { resourceArn, tagKeys: v.array(tagKeyMember) },
    ({ region }, input) => {
      const resource = tagged(region, input.resourceArn);
      resource.set(withoutTags(resource.tags, input.tagKeys));
      return {};
    },
  ),
];
