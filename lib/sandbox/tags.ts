import * as v from "valibot";
import type { Tag } from "./account.ts";

const tagKey = v.pipe(v.string(), v.regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u));

/** A tag as IoT and IAM send it. A missing value is an empty one. */
export const tagMember = v.strictObject({
  Key: tagKey,
  Value: v.optional(v.pipe(v.string(), v.maxLength(256)), ""),
});

export const tagKeyMember = tagKey;

/** The tags with some of them set anew. */
export function withTags(tags: readonly Tag[], set: readonly Tag[]): Tag[] {
  return [...new Map([...tags, ...set].map((tag) => [tag.Key, tag])).values()];
}

/** The tags without those keys. */
export function withoutTags(tags: readonly Tag[], keys: readonly string[]): Tag[] {
  return tags.filter((tag) => !keys.includes(tag.Key));
}
