import { test } from "uvu";
import * as assert from "uvu/assert";
import { MovingLines } from "../../lib/ui/moving-lines.ts";
import { palette } from "../../lib/ui/palette.ts";
import { printJson, printLine, styled } from "../../lib/ui/terminal.ts";

const PLAIN = palette(false, false, {});

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

/** A pipe: what is written to it. */
function pipe() {
  const written: string[] = [];
  const write = (text: string): boolean => written.push(text) > 0;
  return { written, stream: { isTTY: false, write } as unknown as NodeJS.WriteStream };
}

test("on a terminal each job has one line, drawn again as it changes, below those that have ended", () => {
  const { rows, stream } = terminal();
  const lines = new MovingLines(stream, PLAIN);
  const update = (name: string, text: string, isRunning = true): void =>
    lines.update(name, text, isRunning, (line) => lines.print(line));
  lines.begin(["a", "core-2"]);
  update("a", "connecting");
  update("core-2", "sending something that is long");
  update("a", "sending");
  assert.equal(rows, ["a       sending", "core-2  sending som"]);
  update("core-2", "installed, its service is active", false);
  assert.equal(rows, ["core-2  installed, its service is active", "a       sending"]);
  lines.print(["a note"]);
  assert.equal(rows, ["core-2  installed, its service is active", "a note", "a       sending"]);
  update("a", "failed", false);
  assert.equal(rows, ["core-2  installed, its service is active", "a note", "a       failed"]);
});

test("elsewhere one job reports each change, several only their ends", () => {
  const { written, stream } = pipe();
  const lines = new MovingLines(stream, PLAIN);
  const update = (name: string, text: string, isRunning = true): void =>
    lines.update(name, text, isRunning, (line) => lines.print(line));
  lines.begin(["a"]);
  update("a", "x");
  update("a", "done", false);
  lines.begin(["a", "b"]);
  update("a", "x");
  update("b", "done", false);
  assert.equal(written, ["a  x\n", "a  done\n", "b  done\n"]);
});

test("what comes from outside cannot draw, turn text around or end a line; our own styles still can", () => {
  const { written, stream } = pipe();
  const hostile = "a\u001b[2Jb\u009b31mc\u202ed\ne";
  printLine(stream, [hostile, styled("green", hostile)], palette(true, false, {}));
  printJson(stream, { hostile });
  const escaped = "a\\u001b[2Jb\\u009b31mc\\u202ed\\u000ae";
  assert.is(written[0], `${escaped}\u001b[32m${escaped}\u001b[39m\n`);
  assert.not.match(written[1]!, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  assert.equal(JSON.parse(written[1]!), { hostile });
});

test.run();
