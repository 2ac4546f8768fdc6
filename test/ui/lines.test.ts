import * as assert from "uvu/assert";
import { test } from "uvu";
import { jobLines } from "../../lib/ui/lines.ts";

/** A terminal of 20 columns: what is written to it as rows that a person sees. */
function terminal() {
  const rows: string[] = [];
  const write = (text: string): boolean => {
    for (const [, up, line] of text.matchAll(/\u001b\[(\d+)A\u001b\[J|([^\n\u001b]*)\n/g)) {
      if (up !== undefined) {
        rows.length -= Number(up);
      } else {
        rows.push(line!);
      }
    }
    return true;
  };
  return { rows, stream: { isTTY: true, columns: 20, rows: 24, write } as unknown as NodeJS.WriteStream };
}

test("on a terminal each job has one line, drawn again as it changes, below those that have ended", () => {
  const { rows, stream } = terminal();
  const lines = jobLines(stream, ["a", "core-2"], (line) => stream.write(`${line}\n`));
  lines.update("a", "connecting");
  lines.update("core-2", "sending something that is long");
  lines.update("a", "sending");
  assert.equal(rows, ["a       sending", "core-2  sending som"]);
  lines.end("core-2", "installed, its service is active");
  assert.equal(rows, ["core-2  installed, its service is active", "a       sending"]);
  lines.end("a", "failed");
  assert.equal(rows, ["core-2  installed, its service is active", "a       failed"]);
});

test("elsewhere one job tells each change, several only their ends; what a device sends cannot move the terminal", () => {
  const told: string[] = [];
  const stream = { isTTY: false } as NodeJS.WriteStream;
  const one = jobLines(stream, ["a"], (line) => told.push(line));
  one.update("a", "x\u001b[2Jy");
  one.end("a", "done");
  const two = jobLines(stream, ["a", "b"], (line) => told.push(line));
  two.update("a", "x");
  two.end("b", "done");
  assert.equal(told, ["a  x\\u001b[2Jy", "a  done", "b  done"]);
});

test.run();
