import type { Operation } from "./operation.ts";
import { isRecord, kindOf, scalarText, UnquotableValue } from "./quote.ts";

// JavaScript's operators turn lists and objects into text and text into numbers; these refuse instead.

type Arithmetic = "Add" | "Sub" | "Mul" | "Div" | "FloorDiv" | "Mod" | "Pow" | "Neg";
const ARITHMETIC: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  FloorDiv: (a, b) => Math.floor(a / b),
  Mod: (a, b) => a % b,
  Pow: (a, b) => a ** b,
  Neg: (a) => -a,
};

export function arithmetic(name: Arithmetic): Operation {
  const compute = ARITHMETIC[name];
  return (left, right = 0) => compute(asNumber(left), asNumber(right));
}

function asNumber(value: unknown): number {
  if (typeof value === "number") {
    return value;
  }
  throw new UnquotableValue(
    `is used as a number, but an operand is ${kindOf(value)}`,
    "pass a number; join texts with ~",
  );
}

export const concatenation: Operation = (left, right) => scalarText(left) + scalarText(right);

/** `in`: an item of a list, or a part of a text. */
export const contains: Operation = (whole, part) => {
  if (Array.isArray(whole)) {
    return whole.includes(part);
  }
  if (typeof whole === "string") {
    return whole.includes(scalarText(part));
  }
  throw new UnquotableValue(
    `is ${kindOf(whole)}, in which \`in\` cannot look`,
    "use `in` with a list or a text",
  );
};

const COMPARISONS: ReadonlyMap<string, (a: unknown, b: unknown) => boolean> = new Map([
  ["==", (a: unknown, b: unknown) => a === b],
  ["===", (a: unknown, b: unknown) => a === b],
  ["!=", (a: unknown, b: unknown) => a !== b],
  ["!==", (a: unknown, b: unknown) => a !== b],
  ["<", (a: unknown, b: unknown) => asOrdered(a, b) < 0],
  [">", (a: unknown, b: unknown) => asOrdered(a, b) > 0],
  ["<=", (a: unknown, b: unknown) => asOrdered(a, b) <= 0],
  [">=", (a: unknown, b: unknown) => asOrdered(a, b) >= 0],
]);

/** The operation of a comparison sign. Values of different types are never equal: "1" is not 1. */
export function comparison(sign: string): Operation | undefined {
  const compare = COMPARISONS.get(sign);
  if (compare === undefined) {
    return undefined;
  }
  return (left, right) => {
    for (const value of [left, right]) {
      if (Array.isArray(value) || isRecord(value)) {
        throw new UnquotableValue(
          `is compared, but an operand is ${kindOf(value)}`,
          "compare texts or numbers",
        );
      }
    }
    return compare(left, right);
  };
}

function asOrdered(left: unknown, right: unknown): number {
  if (typeof left === "string" && typeof right === "string") {
    return left < right ? -1 : Number(left > right);
  }
  return asNumber(left) - asNumber(right);
}
