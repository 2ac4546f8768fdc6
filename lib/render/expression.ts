import { didYouMean, shown } from "../problem/index.ts";
import { code } from "./codes.ts";
import { FILTERS } from "./filters.ts";
import { member, variable } from "./lookup.ts";
import { make, type Compare, type Filter, type Lookup, type Name, type Node } from "./nunjucks.ts";
import { arithmetic, comparison, concatenation, contains } from "./operators.ts";
import { placeOf, type Scope, type Translation } from "./translation.ts";

const LOOP_MEMBERS = new Set<unknown>([
  "index",
  "index0",
  "revindex",
  "revindex0",
  "first",
  "last",
  "length",
]);
const FORBIDDEN = new Set(["constructor", "prototype"]);

/** The checked form of an expression. */
export function expression(node: Node, scope: Scope, translation: Translation): Node {
  return translation.within(placeOf(node, scope), nothing(node), () =>
    allowedExpression(node, scope, translation),
  );
}

/**
 * The expression with every lookup, filter and operator replaced by a checked operation of ours. What is not
 * named here is refused, so an expression can read values and compute from them, and nothing else: no call,
 * no function, no prototype.
 */
function allowedExpression(node: Node, scope: Scope, translation: Translation): Node {
  const within = (inner: Node): Node => expression(inner, scope, translation);
  const grouped = (inner: Node): Node => make("Group", inner, [within(inner)]);
  const call = (operation: Parameters<Translation["call"]>[3], ...operands: Node[]): Node =>
    translation.call(
      node,
      placeOf(node, scope),
      subjectOf(operands[0] ?? node),
      operation,
      operands.map(within),
    );
  switch (node.typename) {
    case "Literal":
      if (node.value instanceof RegExp) {
        return refused(node, "a regular expression", scope, translation);
      }
      return make("Literal", node, node.value);
    case "Symbol":
      return named(node, scope, translation);
    case "LookupVal":
      return looked(node, scope, translation);
    case "Group":
      if (node.children.length !== 1) {
        return refused(node, "a list in round brackets", scope, translation);
      }
      return make("Group", node, node.children.map(within));
    case "Array":
      return make("Array", node, node.children.map(within));
    case "InlineIf":
      if (node.else_ === null) {
        return refused(node, "`a if b` without else", scope, translation);
      }
      return make("InlineIf", node, grouped(node.cond), grouped(node.body), grouped(node.else_));
    case "And":
    case "Or":
      return make("Group", node, [make(node.typename, node, grouped(node.left), grouped(node.right))]);
    case "Not":
      return make("Group", node, [make("Not", node, grouped(node.target))]);
    case "In":
      return call(contains, node.right, node.left);
    case "Concat":
      return call(concatenation, node.left, node.right);
    case "Add":
    case "Sub":
    case "Mul":
    case "Div":
    case "FloorDiv":
    case "Mod":
    case "Pow":
      return call(arithmetic(node.typename), node.left, node.right);
    case "Neg":
      return call(arithmetic("Neg"), node.target);
    case "Compare":
      return compared(node, scope, translation);
    case "Filter":
      return filtered(node, scope, translation);
    default:
      return refused(node, CONSTRUCTS[node.typename] ?? `\`${node.typename}\``, scope, translation);
  }
}

/**
 * A name or a chain of members as it is written, e.g. `settings.aws.region` or `hosts[0]`; undefined for
 * anything else.
 */
export function pathText(node: Node): string | undefined {
  if (node.typename === "Symbol") {
    return node.value;
  }
  if (node.typename !== "LookupVal" || node.val?.typename !== "Literal") {
    return undefined;
  }
  const target = pathText(node.target);
  if (target === undefined) {
    return undefined;
  }
  return typeof node.val.value === "string"
    ? `${target}.${node.val.value}`
    : `${target}[${String(node.val.value)}]`;
}

/** An expression as the subject of a sentence. */
export function subjectOf(node: Node): string {
  return pathText(node) ?? "the value";
}

/**
 * Whether a name may be used in a template: an identifier that reaches nothing of JavaScript's own. Reports
 * it if not.
 */
export function allowedName(name: string, node: Node, scope: Scope, translation: Translation): boolean {
  const location = placeOf(node, scope);
  if (name.startsWith("__") || FORBIDDEN.has(name)) {
    translation.report({
      code: code.refused,
      location,
      what: `the name ${shown(name)} is not allowed in a template`,
      why: "it leads from a value to the code behind it",
      fix: "remove it; compute the value in the rule",
    });
    return false;
  }
  return true;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reports a name that is no identifier: nunjucks takes any run of characters for a name, and writes it into
 * the code that it makes.
 */
export function identifier(node: Node, scope: Scope, translation: Translation): string | undefined {
  if (node.typename !== "Symbol" || !IDENTIFIER.test(node.value)) {
    const what =
      node.typename === "Symbol" ? `${shown(node.value)} is not a name` : "a name is expected here";
    translation.report({
      code: code.syntax,
      location: placeOf(node, scope),
      what,
      fix: "use letters, digits and _",
    });
    return undefined;
  }
  return allowedName(node.value, node, scope, translation) ? node.value : undefined;
}

function named(node: Name, scope: Scope, translation: Translation): Node {
  const name = identifier(node, scope, translation);
  if (name === undefined) {
    return nothing(node);
  }
  if (scope.loops.includes(name)) {
    return make("Symbol", node, name);
  }
  if (name === "loop" && scope.loops.length > 0) {
    return refused(node, "`loop` on its own", scope, translation);
  }
  return translation.call(node, placeOf(node, scope), name, variable(name, scope.loops), []);
}

function looked(node: Lookup, scope: Scope, translation: Translation): Node {
  const key = node.val;
  if (key?.typename !== "Literal" || (typeof key.value !== "string" && typeof key.value !== "number")) {
    return refused(node, "a member whose name is computed", scope, translation);
  }
  if (typeof key.value === "string" && !allowedName(key.value, key, scope, translation)) {
    return nothing(node);
  }
  if (node.target.typename === "Symbol" && node.target.value === "loop" && scope.loops.length > 0) {
    if (!LOOP_MEMBERS.has(key.value)) {
      return refused(key, `loop.${key.value}`, scope, translation);
    }
    return make("LookupVal", node, make("Symbol", node, "loop"), make("Literal", key, key.value));
  }
  const path = pathText(node) ?? `(…).${key.value}`;
  const owner = pathText(node.target) ?? "(…)";
  const target = expression(node.target, scope, translation);
  return translation.call(key, placeOf(key, scope), path, member(key.value, path, owner), [target]);
}

function compared(node: Compare, scope: Scope, translation: Translation): Node {
  const [only, ...more] = node.ops;
  const operation = only === undefined || more.length > 0 ? undefined : comparison(only.type);
  if (only === undefined || operation === undefined) {
    return refused(node, "a chain of comparisons", scope, translation);
  }
  const operands = [node.expr, only.expr].map((operand) => expression(operand, scope, translation));
  return translation.call(node, placeOf(node, scope), subjectOf(node.expr), operation, operands);
}

function filtered(node: Filter, scope: Scope, translation: Translation): Node {
  const filter = FILTERS.get(node.name.value);
  const location = placeOf(node.name, scope);
  const operands = node.args.children.map((argument) => expression(argument, scope, translation));
  if (filter === undefined) {
    const near = didYouMean(node.name.value, FILTERS.keys());
    const known = [...FILTERS.keys()].join(", ");
    translation.report({
      code: code.filter,
      location,
      what: `there is no filter ${shown(node.name.value)}`,
      ...(node.name.value === "default" ? { why: "a default would hide a slip in a name" } : {}),
      fix:
        near === undefined
          ? `use one of ${known}, or compute the value in the rule`
          : `did you mean ${near}?`,
    });
    return nothing(node);
  }
  if (operands.length !== filter.arguments + 1) {
    const [count, fix] =
      filter.arguments === 0 ? ["no", "remove the brackets"] : ["one", `write | ${node.name.value}(", ")`];
    translation.report({
      code: code.filter,
      location,
      what: `the filter ${node.name.value} takes ${count} argument`,
      fix,
    });
  }
  return translation.call(node, location, subjectOf(node.args.children[0] ?? node), filter.run, operands);
}

const CONSTRUCTS: Readonly<Partial<Record<Node["typename"], string>>> = {
  FunCall: "a call",
  Is: "`is`",
  Dict: "an object in curly brackets",
  KeywordArgs: "a named argument",
  Capture: "a filter block",
  Pos: "a plus sign",
};
const REASONS: Readonly<Partial<Record<Node["typename"], string>>> = {
  FunCall: "a template shows values; a call could run code or never end",
  Is: "every value must be given, so that a slip in a name cannot hide behind a test",
};

/** Reports a construct that templates may not use, and stands in for it. */
export function refused(node: Node, construct: string, scope: Scope, translation: Translation): Node {
  const why = REASONS[node.typename];
  const fix =
    node.typename === "Is"
      ? "pass true, false or null from the rule and write {% if x %}"
      : "compute the value in the rule and pass it";
  translation.report({
    code: code.refused,
    location: placeOf(node, scope),
    what: `${construct} is not allowed in a template`,
    ...(why === undefined ? {} : { why }),
    fix,
  });
  return nothing(node);
}

/** Stands for what has a problem, so that the rest can be checked in the same run. */
function nothing(at: Node): Node {
  return make("Literal", at, null);
}
