import type { Positions, Refuse } from "./positions.ts";
import type { Output } from "../translation.ts";

interface State {
  readonly string: boolean;
  readonly escaped: boolean;
  /** Whether a value may come next: at the start, or behind `:`, `[` or `,`. */
  readonly open: boolean;
  /** The output that stands directly before, apart from blanks. */
  readonly last: Output | undefined;
}

const FIX = 'write it as a whole value: "key": {{ … | json }}';

/**
 * JSON outside of strings. Where tags part, it gives the benefit of the doubt: the rendered text is parsed
 * anyway.
 */
export function jsonPositions(refuse: Refuse): Positions<State> {
  return {
    start: { string: false, escaped: false, open: true, last: undefined },
    text(state, text) {
      let { string, escaped, open, last } = state;
      for (const char of text) {
        if (string) {
          if (escaped) {
            escaped = false;
          } else if (char === "\\") {
            escaped = true;
          } else if (char === '"') {
            string = false;
          }
        } else if (!/\s/.test(char)) {
          if (last !== undefined && !",]}".includes(char)) {
            refuse(last, "something other than `,`, `]` or `}` follows it", FIX);
          }
          last = undefined;
          string = char === '"';
          open = ":[,".includes(char);
        }
      }
      return { string, escaped, open, last };
    },
    output(state, output) {
      const allowed = !state.string && state.open;
      if (!allowed) {
        refuse(output, state.string ? "it is inside a string" : "it is not behind `:`, `[` or `,`", FIX);
      }
      return { ...state, open: false, last: allowed ? output : undefined };
    },
    meet(a, b) {
      if (a.string !== b.string || a.escaped !== b.escaped) {
        return undefined;
      }
      return {
        string: a.string,
        escaped: a.escaped,
        open: a.open || b.open,
        last: a.last === b.last ? a.last : undefined,
      };
    },
  };
}
