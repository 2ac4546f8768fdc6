import { type Reason } from "../engine/index.ts";
import { visible } from "../problem/index.ts";

/** A reason in a few words: `[core core-1] group: "a" → "b"`, `templates/core/config.yaml.njk changed`. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case "new":
      return "new";
    case "forced":
      return "forced";
    case "interrupted":
      return "it was interrupted";
    case "failed":
      return "it failed before";
    case "recipe":
      return "its rule changed";
    case "target":
      return `${reason.path} ${targetChange[reason.change]}`;
    case "mode":
      return `mode of ${reason.path}: ${reason.to}, must be ${reason.from}`;
    case "file":
      return `${reason.path} ${reason.change}`;
    case "setting":
      return `${settingName(reason.key)}: ${valueText(reason.from)} → ${valueText(reason.to)}`;
    case "names":
      return `${listName(reason.key)}: ${valueText(reason.from)} → ${valueText(reason.to)}`;
    case "needs":
      return reason.added.length === 0
        ? "it needs less than before"
        : `it needs ${reason.added.join(", ")}, too`;
    case "environment":
      return `environment variable ${reason.key} changed`;
    case "glob":
      return `${reason.pattern}: ${[...reason.added.map((name) => `+${name}`), ...reason.removed.map((name) => `-${name}`)].join(" ")}`;
    case "fact":
      return `${reason.name}: ${factChange(reason.from, reason.to)}`;
    case "upstream":
      return `${reason.target} is not fresh`;
  }
}

const targetChange = {
  missing: "is missing",
  edited: "was edited by hand",
  replaced: "was replaced",
} as const;

/** `aws.region` as it is in the file: `[aws] region`. */
function settingName(key: string): string {
  const dot = key.lastIndexOf(".");
  return dot < 0 ? key : `[${key.slice(0, dot)}] ${key.slice(dot + 1)}`;
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) {
    return "(none)";
  }
  const text = visible(JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Of an object only which members differ: values of facts are long (certificates, ARNs). */
function factChange(from: unknown, to: unknown): string {
  if (!isObject(from) || !isObject(to)) {
    return `${valueText(from)} → ${valueText(to)}`;
  }
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter(
    (key) => JSON.stringify(from[key]) !== JSON.stringify(to[key]),
  );
  return `${keys.join(", ")} changed`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list of sections by their kind, or one that follows from them, as "cores of group lab". */
function listName(kind: string): string {
  return kind.includes(" ") ? `the ${kind}` : `the list of [${kind} …]`;
}
