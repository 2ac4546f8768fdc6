import * as v from "valibot";
import { AwsError } from "./operation.ts";

/** An integer of a JSON body, or its text in a query string or a form. */
export const integer = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^-?\d{1,15}$/), v.transform(Number))]),
  v.integer(),
);

/** A boolean of a JSON body, or its text in a query string or a form. */
export const flag = v.union([
  v.boolean(),
  v.pipe(
    v.picklist(["true", "false"]),
    v.transform((value) => value === "true"),
  ),
]);

/** A list of a form: the Query protocol sends an empty one as an empty text. */
export function formList<S extends v.GenericSchema>(entry: S) {
  return v.union([
    v.pipe(
      v.literal(""),
      v.transform((): v.InferOutput<S>[] => []),
    ),
    v.array(entry),
  ]);
}

/** AWS says of no list how many it gives unasked; a caller that does not ask for the other parts is found by this. */
const USUAL_LIMIT = 100;

/** A part of a list, and the token for the next part. */
export function page<T>(
  entries: readonly T[],
  limit: number | undefined,
  token: string | undefined,
): { entries: readonly T[]; next?: string } {
  const offset = token === undefined ? "0" : Buffer.from(token, "base64").toString();
  if (!/^\d{1,9}$/.test(offset)) {
    throw new AwsError(400, "InvalidRequestException", "The token is not from this list");
  }
  const start = Number(offset);
  const end = start + (limit ?? USUAL_LIMIT);
  const part = entries.slice(start, end);
  return end < entries.length
    ? { entries: part, next: Buffer.from(String(end)).toString("base64") }
    : { entries: part };
}
