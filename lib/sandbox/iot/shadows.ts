import type { Region, Shadow } from "../account.ts";

/** A thing's shadow; the unnamed one has the name "". */
export interface ShadowId {
  readonly thing: string;
  readonly name: string;
}

type Json = Readonly<Record<string, unknown>>;

/** What an update changes: a member that is null goes, and so does all of a half that is null. */
export interface ShadowChange {
  readonly desired?: unknown;
  readonly reported?: unknown;
}

/** A colon is in no shadow's name. */
export function shadowKey({ thing, name }: ShadowId): string {
  return `${name}:${thing}`;
}

/**
 * Applies an update to a shadow, which it makes where there is none
 * (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html).
 */
export function writeShadow(region: Region, id: ShadowId, change: ShadowChange, now: number): Shadow {
  const key = shadowKey(id);
  const old = region.shadows.get(key);
  const next: Shadow = {
    key,
    desired: "desired" in change ? merged(old?.desired, change.desired) : old?.desired,
    reported: "reported" in change ? merged(old?.reported, change.reported) : old?.reported,
    version: (old?.version ?? 0) + 1,
    at: now,
  };
  region.shadows.set(key, next);
  return next;
}

/** What is desired and not reported so; undefined where nothing is. */
export function deltaOf({ desired, reported }: Shadow): object | undefined {
  return difference(desired, reported);
}

function merged(value: unknown, over: unknown): unknown {
  if (over === null) {
    return undefined;
  }
  if (!isObject(over)) {
    return over;
  }
  const below = isObject(value) ? value : {};
  const entries = Object.entries(over).map(([key, one]) => [key, merged(below[key], one)] as const);
  return Object.fromEntries(
    Object.entries({ ...below, ...Object.fromEntries(entries) }).filter(([, one]) => one !== undefined),
  );
}

function difference(desired: unknown, reported: unknown): object | undefined {
  if (!isObject(desired)) {
    return undefined;
  }
  const below = isObject(reported) ? reported : {};
  const entries = Object.entries(desired).flatMap(([key, one]) => {
    const other = below[key];
    const isBelow = isObject(one) && isObject(other);
    const left = isBelow ? difference(one, other) : unless(isSame(one, other), one);
    return left === undefined ? [] : [[key, left] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function unless<T>(is: boolean, value: T): T | undefined {
  return is ? undefined : value;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
