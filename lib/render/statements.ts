import { shown, type Code } from "../problem/index.ts";
import { code } from "./codes.ts";
import { expression, identifier, pathText, refused, subjectOf } from "./expression.ts";
import { plainText, QUOTING, shAssigned } from "./filters.ts";
import { languageOf } from "./language.ts";
import { entries, items } from "./lookup.ts";
import { make, type For, type Include, type List, type Node } from "./nunjucks.ts";
import type { Operation } from "./operation.ts";
import { includePath, LEFT, type Closure } from "./sources.ts";
import { placeOf, type Output, type Scope, type Translation } from "./translation.ts";

/** A file within the includes that lead to it, outermost first, so that a circle is seen. */
interface FileScope extends Scope {
  readonly trail: readonly string[];
  /** How many loops are around. */
  readonly depth: number;
}

/** nunjucks compiles the body of a loop over an object twice, so code doubles with every level. */
const MAX_LOOPS = 6;

/**
 * A file of the closure as a list of checked nodes: includes replaced by what they include, outputs quoted,
 * loops bounded. What is not named here is refused.
 */
export function statements(file: string, closure: Closure, translation: Translation): Node {
  const tree = fileTree({ file, loops: [], trail: [file], depth: 0 }, closure, translation);
  return make("Root", tree, [tree]);
}

function fileTree(scope: FileScope, closure: Closure, translation: Translation): Node {
  const source = closure.get(scope.file);
  if (source?.problem !== undefined) {
    translation.report(source.problem);
  }
  if (source?.tree === undefined) {
    return make("NodeList", { typename: "NodeList", lineno: 0, colno: 0, children: [] });
  }
  return make("NodeList", source.tree, [statement(source.tree, scope, closure, translation)]);
}

function statement(node: Node, scope: FileScope, closure: Closure, translation: Translation): Node {
  const translate = (): Node => allowedStatement(node, scope, closure, translation);
  return translation.within(placeOf(node, scope), make("NodeList", node, []), translate);
}

function allowedStatement(node: Node, scope: FileScope, closure: Closure, translation: Translation): Node {
  const within = (inner: Node): Node => statement(inner, scope, closure, translation);
  switch (node.typename) {
    case "Root":
    case "NodeList":
      return make("NodeList", node, node.children.map(within));
    case "Output":
      return make(
        "Output",
        node,
        node.children.map((child) => {
          // as a literal and not as text, so that it is counted like every output
          if (child.typename === "TemplateData") {
            return make("Literal", child, child.value);
          }
          return output(child, node, scope, translation);
        }),
      );
    case "If": {
      const condition = make("Group", node.cond, [expression(node.cond, scope, translation)]);
      const otherwise = node.else_ === null ? null : within(node.else_);
      return parting(make("If", node, condition, within(node.body), otherwise), scope, translation);
    }
    case "For":
      return loop(node, scope, closure, translation);
    case "Include":
      return included(node, scope, closure, translation);
    default:
      return refused(node, `the tag {% ${TAGS[node.typename] ?? node.typename} %}`, scope, translation);
  }
}

const TAGS: Readonly<Partial<Record<Node["typename"], string>>> = {
  Macro: "macro",
  Import: "import",
  FromImport: "from",
  Set: "set",
  Block: "block",
  Extends: "extends",
  Switch: "switch",
  IfAsync: "ifAsync",
  AsyncEach: "asyncEach",
  AsyncAll: "asyncAll",
};

/**
 * An output ends in its language's quoting filter, so that no value can become code; a text for people is
 * cleaned of control characters.
 */
function output(node: Node, tag: List, scope: FileScope, translation: Translation): Node {
  const { language } = translation;
  const location = placeOf(tag, scope);
  if (language === "text") {
    return translation.call(node, location, subjectOf(node), plainText, [
      expression(node, scope, translation),
    ]);
  }
  if (node.typename !== "Filter" || node.name.value !== language) {
    translation.report({
      code: code.unquoted,
      location,
      what: `an output in a ${language} template must end in its quoting filter`,
      why: `a value could become code in the ${language} file`,
      fix: `use {{ ${pathText(node) ?? "…"} | ${language} }}`,
    });
    // checked for its own problems all the same
    return expression(node, scope, translation);
  }
  const [value = node, ...tooMany] = node.args.children;
  if (tooMany.length > 0) {
    return expression(node, scope, translation);
  }
  const site: Output = { location, assigned: false };
  const quote = QUOTING[language];
  const write: Operation = (input) => (site.assigned ? shAssigned(input) : quote(input));
  const operand = expression(value, scope, translation);
  const quoted = translation.call(node.name, placeOf(node.name, scope), subjectOf(value), write, [operand]);
  translation.outputs.set(quoted, site);
  return quoted;
}

/** Notes the file of a tag that parts the text's ways. */
function parting(node: Node, scope: Scope, translation: Translation): Node {
  translation.files.set(node, scope.file);
  return node;
}

function loop(node: For, scope: FileScope, closure: Closure, translation: Translation): Node {
  const names = node.name.typename === "Array" ? node.name.children : [node.name];
  const variables = names.map((name) => identifier(name, scope, translation));
  if (names.length > 2) {
    refused(node, "a loop with more than two variables", scope, translation);
  }
  if (variables.includes("loop")) {
    refused(node, "a loop variable with the name `loop`", scope, translation);
  }
  if (scope.depth >= MAX_LOOPS) {
    const what = `more than ${MAX_LOOPS} loops are nested`;
    translation.report({
      code: code.limit,
      location: placeOf(node, scope),
      what,
      fix: "compute a flat list in the rule",
    });
    return make("NodeList", node, []);
  }
  const turns = names.length === 1 ? items : entries;
  const all = expression(node.arr, scope, translation);
  const list = translation.call(node.arr, placeOf(node.arr, scope), subjectOf(node.arr), turns, [all]);
  const named = variables.filter((name) => name !== undefined);
  const inner = { ...scope, loops: [...scope.loops, ...named], depth: scope.depth + 1 };
  const body = statement(node.body, inner, closure, translation);
  const otherwise = node.else_ === null ? null : statement(node.else_, scope, closure, translation);
  return parting(make("For", node, list, node.name, body, otherwise), scope, translation);
}

function included(node: Include, scope: FileScope, closure: Closure, translation: Translation): Node {
  const location = placeOf(node.template, scope);
  const empty = make("NodeList", node, []);
  if (node.template.typename !== "Literal" || typeof node.template.value !== "string") {
    return refused(node.template, "an include whose path is computed", scope, translation);
  }
  const written = node.template.value;
  const report = (what: string, fix: string, kind: Code = code.include): Node => {
    translation.report({ code: kind, location, what, fix });
    return empty;
  };
  const file = includePath(written, scope.file);
  if (file === undefined) {
    return report(
      `the include ${shown(written)} leaves the project`,
      "name a file of the project, from its root or with ./",
    );
  }
  if (closure.get(file) === LEFT) {
    return report(
      `a link leads the include ${shown(file)} out of the project`,
      "put the file itself into the project: a template may be somebody else's, and what it includes is copied",
    );
  }
  if (scope.trail.includes(file)) {
    const circle = [...scope.trail.slice(scope.trail.indexOf(file)), file].join(" → ");
    return report(`the template includes itself: ${circle}`, "remove one of these includes");
  }
  if (languageOf(file) !== translation.language) {
    const what = `${file} is included in a ${translation.language} template, but its name says another language`;
    return report(what, "give both names the same ending");
  }
  if (closure.get(file) === undefined) {
    if (node.ignoreMissing === true) {
      return empty;
    }
    const fix = "create it, or correct the path (from the project's root, or with ./)";
    return report(`there is no template ${file}`, fix, code.missing);
  }
  return fileTree({ ...scope, file, trail: [...scope.trail, file] }, closure, translation);
}
