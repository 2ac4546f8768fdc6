import { lengthened, metLine, NEW_LINE, withOutput, type Line } from "./line.ts";
import type { Positions, Refuse } from "./positions.ts";

const FIX = "write it as a whole value on a line of its own: key = {{ … | ini }}";
const BEFORE_VALUE = /^[ \t]*[A-Za-z0-9_][A-Za-z0-9_.-]*[ \t]*=[ \t]*$/;

/** INI files line by line: a value comes after `key =` and ends its line. */
export function iniPositions(refuse: Refuse): Positions<Line> {
  return {
    start: NEW_LINE,
    text(line, text) {
      const [rest = "", ...lines] = text.split("\n");
      const first = lengthened(line, rest, refuse, FIX);
      return lines.length === 0 ? first : lengthened(NEW_LINE, lines.at(-1) ?? "", refuse, FIX);
    },
    output(line, output) {
      const whole = line.texts.every((text) => BEFORE_VALUE.test(text));
      return withOutput(line, output, whole ? undefined : "it is not the whole value of a key", refuse, FIX);
    },
    meet: metLine,
  };
}
