import type { Refuse, Positions } from "./positions.ts";
import { code } from "../codes.ts";
import type { Language } from "../language.ts";
import type { Node } from "../nunjucks.ts";
import { iniPositions } from "./ini.ts";
import { jsonPositions } from "./json.ts";
import { shPositions } from "./sh.ts";
import { yamlPositions } from "./yaml.ts";
import type { Translation } from "../translation.ts";

/**
 * Refuses every output that could end up inside other quotes, a comment, a here-document or the like, where a
 * quoted word is no longer quoted. Assumes that both ways around an {% if %}, and every turn of a {% for %},
 * leave the text in the same state (all quotes closed that they opened), and refuses a template in which they
 * do not.
 */
export function checkPositions(root: Node, file: string, translation: Translation): void {
  const refuse: Refuse = (output, reason, fix) =>
    translation.report({
      code: code.position,
      location: output.location,
      what: `a value is not allowed here: ${reason}`,
      why: "its quotes would not hold, and it could become code",
      fix,
    });
  const kinds: Readonly<Record<Exclude<Language, "text">, () => void>> = {
    sh: () => follow(root, shPositions(refuse), file, translation),
    yaml: () => follow(root, yamlPositions(refuse), file, translation),
    json: () => follow(root, jsonPositions(refuse), file, translation),
    ini: () => follow(root, iniPositions(refuse), file, translation),
  };
  if (translation.language !== "text") {
    kinds[translation.language]();
  }
}

function follow<State>(
  root: Node,
  positions: Positions<State>,
  file: string,
  translation: Translation,
): void {
  const meet = (a: State, b: State, node: Node): State => {
    const met = positions.meet(a, b);
    if (met === undefined) {
      const location = {
        file: translation.files.get(node) ?? file,
        line: node.lineno + 1,
        column: node.colno + 1,
      };
      translation.report({
        code: code.position,
        location,
        what: "the ways around this tag leave the text in different states, such as inside and outside of quotes",
        why: "what follows could then not be checked",
        fix: "close within the tag every quote that is opened within it",
      });
    }
    return met ?? a;
  };
  const walk = (node: Node | null, state: State): State => {
    switch (node?.typename) {
      case "Root":
      case "NodeList":
        return node.children.reduce((current, child) => walk(child, current), state);
      case "Output":
        return node.children.reduce((current, child) => {
          const output = translation.outputs.get(child);
          if (output !== undefined) {
            return positions.output(current, output);
          }
          const text = child.typename === "Literal" ? child.value : undefined;
          return typeof text === "string" ? positions.text(current, text) : current;
        }, state);
      case "If":
        return meet(walk(node.body, state), walk(node.else_, state), node);
      case "For": {
        const again = meet(state, walk(node.body, state), node);
        const after = meet(again, walk(node.body, again), node);
        return meet(after, walk(node.else_, state), node);
      }
      default:
        return state;
    }
  };
  walk(root, positions.start);
}
