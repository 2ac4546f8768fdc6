import { didYouMean } from "../problem/index.ts";
import { code } from "./codes.ts";
import { TemplateError, type Operation } from "./operation.ts";
import { isRecord, kindOf, UnquotableValue } from "./quote.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * Gives the value of that name, or fails with the names that there are (`loops`: the loop variables in
 * sight).
 */
export function variable(name: string, loops: readonly string[]): Operation {
  return function () {
    return found(this.values, name, name, () => [...loops, ...Object.keys(this.values)]);
  };
}

/**
 * Gives a member of its operand; `path` is the whole name for a message, e.g. `settings.aws.region`, `owner`
 * the part before.
 */
export function member(key: string | number, path: string, owner: string): Operation {
  return (target) => {
    if (typeof target !== "object" || target === null) {
      const what = `${path} is not there: ${owner} is ${kindOf(target)}`;
      throw new TemplateError({ code: code.undefined, what, fix: `pass ${owner} as an object` });
    }
    return found(target as Members, key, path, () => Object.keys(target));
  };
}

// A plain read, so that an object that watches its reads sees just this one. Methods are never values.
function found(target: Members, key: string | number, path: string, names: () => string[]): unknown {
  const value = target[key];
  if (value !== undefined && typeof value !== "function") {
    return value;
  }
  const known = names();
  const near = typeof key === "string" ? didYouMean(key, known) : undefined;
  const some = known.length > 12 ? [...known.slice(0, 12), "…"] : known;
  const fix =
    near !== undefined
      ? `did you mean ${path.slice(0, path.lastIndexOf(".") + 1)}${near}?`
      : `pass it from the rule${some.length === 0 ? "" : `; known here: ${some.join(", ")}`}`;
  const why = "it would become an empty text unnoticed";
  throw new TemplateError({ code: code.undefined, what: `${path} is undefined`, why, fix });
}

/**
 * The loop that `for x in list` runs over: the list's items. Each turn is taken off the budget that ends
 * every render.
 */
export const items: Operation = function (list) {
  if (!Array.isArray(list)) {
    const fix = isRecord(list) ? "write {% for key, value in … %}" : "pass a list from the rule";
    throw new UnquotableValue(`is ${kindOf(list)}, not a list`, fix);
  }
  spend(this, list.length);
  return Array.from(list, (item: unknown, index) => {
    if (item === undefined) {
      throw new UnquotableValue(`has no item ${index}`, "pass a list without holes");
    }
    return item;
  });
};

/** The loop that `for key, value in object` runs over. */
export const entries: Operation = function (target) {
  if (typeof target !== "object" || target === null || Array.isArray(target)) {
    const fix = Array.isArray(target) ? "write {% for item in … %}" : "pass an object from the rule";
    throw new UnquotableValue(`is ${kindOf(target)}, not an object`, fix);
  }
  const keys = Object.keys(target);
  spend(this, keys.length);
  const copy = Object.create(null) as Record<string, unknown>;
  for (const key of keys) {
    copy[key] = (target as Members)[key];
  }
  return copy;
};

function spend(rendering: { turnsLeft: number }, turns: number): void {
  rendering.turnsLeft -= turns;
  if (rendering.turnsLeft < 0) {
    const what = "the loops of this template make too many turns";
    throw new TemplateError({ code: code.limit, what, fix: "compute the list in the rule" });
  }
}
