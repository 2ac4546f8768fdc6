import * as v from "valibot";
import { componentVersionFault, numberFault, wordFault } from "./values.ts";

export type SettingValue = string | number | boolean;

/** What a key means and takes. */
export interface KeyRule<T extends SettingValue | undefined = SettingValue | undefined> {
  /**
   * From the text in the file, or undefined where it is not set, to the value; an issue's message says what
   * is wrong.
   */
  readonly schema: v.GenericSchema<string | undefined, T>;
  /** One line for the documentation. */
  readonly docs: string;
  /** What a wrong value would lead to. */
  readonly why: string;
  /** What to write instead. */
  readonly fix: string;
  /** The key whose value counts where this one is not set. */
  readonly inherits?: string;
}

/** A text that is taken unless `fault` says what is wrong with it. */
export function text(fault: (value: string) => string | undefined) {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? fault(dataset.value) : undefined;
      if (message !== undefined) {
        addIssue({ message });
      }
    }),
  );
}

export function wholeNumber(byDefault: string, least: number, most: number) {
  return v.optional(
    v.pipe(
      text((value) => numberFault(value, least, most)),
      v.transform(Number),
    ),
    byDefault,
  );
}

export function port(byDefault: string) {
  return v.optional(
    v.pipe(
      text((value) => wordFault(value, [byDefault, "443"])),
      v.transform(Number),
    ),
    byDefault,
  );
}

export function key<T extends SettingValue | undefined>(
  schema: v.GenericSchema<string | undefined, T>,
  docs: string,
  why: string,
  fix: string,
): KeyRule<T> {
  return { schema, docs, why, fix };
}

export function truth(byDefault: "true" | "false") {
  const word = text((value) => wordFault(value, ["true", "false"]));
  return v.optional(
    v.pipe(
      word,
      v.transform((value) => value === "true"),
    ),
    byDefault,
  );
}

export function oneOf<const W extends string>(first: W, ...others: W[]) {
  const word = text((value) => wordFault(value, [first, ...others]));
  return v.optional(
    v.pipe(
      word,
      v.transform((value) => value as W),
    ),
    first,
  );
}

export function componentVersion(byDefault: string) {
  return v.optional(text(componentVersionFault), byDefault);
}
