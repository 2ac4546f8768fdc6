import { test } from "uvu";
import * as assert from "uvu/assert";
import { LEAST, parsed, problemsOf, refused, withValue, written } from "./support.ts";

const text = (settings: string) => written(withValue("greengrass", "no_proxy", settings));

test("a byte order mark changes nothing", () => {
  assert.is(parsed(`\ufeff${LEAST}`).value("aws.account"), "sandbox");
  assert.equal(parsed(`\ufeff${LEAST}`).locationOf("aws.account"), parsed(LEAST).locationOf("aws.account"));
});

test("CRLF line ends change nothing", () => {
  assert.is(parsed(LEAST.replaceAll("\n", "\r\n")).value("aws.region"), "eu-west-1");
});

test("line ends of CR only are refused", () => {
  refused(
    LEAST.replaceAll("\n", "\r"),
    "settings.ini:1:6: line ends with CR only; save with LF",
    "save the file with LF",
  );
  refused(`${LEAST}; a comment\rgroup = x\n`, "settings.ini:9:12: line ends with CR only; save with LF");
});

test("a NUL byte is refused, also in a comment", () => {
  refused(`${LEAST}group = a\0b\n`, "settings.ini:9:10: NUL byte at column 10; file damaged?");
  refused(`${LEAST}; a\0b\n`, "settings.ini:9:4: NUL byte at column 4; file damaged?");
});

test("a file that is not UTF-8 is refused with its line", () => {
  refused(
    Buffer.from(`${LEAST}; caf\xe9\n`, "latin1"),
    "settings.ini:9:1: the line has bytes that are not UTF-8",
    "UTF-8",
  );
  refused(
    Buffer.from(`\ufeff${LEAST}`, "utf16le"),
    "settings.ini:1:1: the file is UTF-16, not UTF-8",
    "UTF-8",
  );
});

test("of an empty file the required sections are shown, and a command that writes them", () => {
  for (const empty of ["", "\n", "; only a comment\n"]) {
    refused(
      empty,
      "settings.ini:1:1: the file has no sections; required are [aws], [instance], [greengrass], [core NAME]",
      "'[aws]' 'account = sandbox' 'region = eu-west-1'",
    );
  }
});

test("a line without = is refused, and not shown", () => {
  refused(`${LEAST}group my-group\n`, "settings.ini:9:1: no '='; did you mean `key = value`?", "key = value");
});

test("a line without a key is refused", () => {
  refused(`${LEAST}  = my-group\n`, "settings.ini:9:3: no key before '='");
});

test("a section that is not closed is refused, and its keys are not blamed", () => {
  refused(
    `${LEAST}[thing thing-1\ncore = core-1\n`,
    "settings.ini:9:1: section not closed with ]",
    "end the header with ]",
  );
});

test("a comment after a section header is a comment", () => {
  for (const comment of ["; note", "# note", ";note", "  "]) {
    assert.equal(parsed(`${LEAST}[core core-2] ${comment}\ngroup = g\n`).names("core"), ["core-1", "core-2"]);
  }
});

test("other text after a section header is refused", () => {
  refused(`${LEAST}[core core-2] group = g\n`, "settings.ini:9:14: text after ]");
});

test("blanks inside of the brackets do not count", () => {
  assert.equal(parsed(`${LEAST}[ core \t core-2 ]\n`).names("core"), ["core-1", "core-2"]);
});

test("a section that stands twice is refused, and the keys of both are checked", () => {
  refused(`${LEAST}[aws]\n`, "settings.ini:9:1: section again; first at line 1", "first one");
  const problems = problemsOf(() => parsed(`${LEAST}[core core-1]\ngroup = a/b\n`));
  assert.equal(
    problems.map((one) => one.location?.line),
    [9, 10],
  );
});

test("a key that is set twice is refused", () => {
  refused(`${LEAST}group = a\ngroup = a\n`, "settings.ini:10:1: set twice; first at line 9");
});

test("an unknown key names the one that was meant, and the one that was meant is not missing as well", () => {
  refused(
    LEAST.replace("region =", "regoin ="),
    'settings.ini:3:1: unknown key "regoin"; did you mean region?',
    "account, region",
  );
});

test("an unknown section names the one that was meant", () => {
  refused(
    LEAST.replace("[instance]", "[instanse]"),
    'settings.ini:4:1: unknown section "instanse"; did you mean instance?',
    "[core NAME]",
  );
  refused(`${LEAST}[Core core-2]\n`, 'settings.ini:9:1: unknown section "Core"; did you mean core?');
});

test("a section that differs only in case from another is refused", () => {
  refused(`${LEAST}[Aws]\n`, "settings.ini:9:1: section differs only in case from line 1");
});

test("a key that differs only in case from another is refused", () => {
  refused(`${LEAST}group = a\nGroup = b\n`, "settings.ini:10:1: key differs only in case from line 9");
});

test("a key before the first section is refused", () => {
  refused(`name = x\naccount = y\n${LEAST}`, "settings.ini:1:1: key before the first section", "[aws]");
});

test("# and ; inside of a value belong to it; behind a blank they look like a comment, and are refused without quotes (B14)", () => {
  assert.is(text("a#b;c"), "a#b;c");
  assert.is(text('"a ; b # c"'), "a ; b # c");
  for (const sign of [";", "#"]) {
    refused(
      withValue("greengrass", "nucleus", `./zips ${sign} where`),
      `settings.ini:7:18: ${sign} behind a value is part of the value`,
      "put the comment above the line",
    );
  }
  assert.is(parsed(`${LEAST}  ; note\n\t# note\ngroup = g\n`).value("core core-1.group"), "g");
});

test("a quote that is not closed is refused", () => {
  refused(
    withValue("greengrass", "no_proxy", '"open'),
    "settings.ini:7:12: quote not closed",
    'end the value with "',
  );
  refused(
    withValue("greengrass", "no_proxy", "'open"),
    "settings.ini:7:12: quote not closed",
    "end the value with '",
  );
  refused(withValue("greengrass", "no_proxy", '"'), "settings.ini:7:12: quote not closed");
});

test("text after a closing quote is refused", () => {
  refused(
    withValue("greengrass", "no_proxy", '"a" ; note'),
    "settings.ini:7:12: text after the closing quote",
    "line of its own",
  );
  refused(withValue("greengrass", "no_proxy", "'a' b'"), "settings.ini:7:12: text after the closing quote");
});

test("an unknown escape is refused", () => {
  refused(
    withValue("greengrass", "no_proxy", '"C:\\path"'),
    'settings.ini:7:12: unknown escape in "…"',
    "single quotes",
  );
});

test("a continuation line is refused", () => {
  refused(
    `${LEAST}group = a\\\n`,
    "settings.ini:9:10: \\ at the end is not supported here; one line, one value",
    "one line",
  );
  assert.is(text("'C:\\'"), "C:\\");
});

test("an array is refused", () => {
  refused(`${LEAST}group[] = a\n`, "settings.ini:9:1: `key[] =` is not supported here; one line, one value");
});

test("names that reach into JavaScript's objects are refused, and reach nothing", () => {
  for (const name of ["__proto__", "constructor", "constructor.prototype.x", "hasOwnProperty"]) {
    refused(`${LEAST}[${name}]\nx = 1\n`, "settings.ini:9:1: reserved name");
    if (name !== "hasOwnProperty") {
      refused(`${LEAST}[core ${name}]\n`, "settings.ini:9:1: reserved name");
    }
    refused(`${LEAST}${name} = 1\n`, "settings.ini:9:1: reserved name");
  }
  for (const name of ["hasOwnProperty", "toString", "valueOf"]) {
    assert.equal(parsed(`${LEAST}[core ${name}]\n`).names("core").at(-1), name, "an allowed name (B20)");
  }
  assert.is(Reflect.get({}, "x"), undefined);
  assert.is(parsed(LEAST).value("constructor"), undefined);
});

test("words that other programs take for other types stay text", () => {
  for (const word of ["true", "false", "null", "1e3", "007", "0x10", '{"x":1}']) {
    assert.is(text(word), word);
  }
  assert.is(text("'{\"x\":1}'"), '{"x":1}');
  assert.is(text("'true'"), "true");
  assert.is(text('"null"'), "null");
});

test("a value means itself without quotes, with JSON escapes in double quotes, and literally in single quotes", () => {
  assert.is(text("  a b  "), "a b");
  assert.is(text('" a \\"b\\" \\u00e9 \\\\ "'), ' a "b" é \\ ');
  assert.is(text("' a \\n \"b\" '"), ' a \\n "b" ');
  assert.is(text("it's"), "it's");
  assert.is(text("''"), "");
  assert.is(text(""), "");
});

test("text that shells, templates, HCL and YAML would act on comes through literally", () => {
  const hostile = [
    "$(reboot)",
    "`id`",
    "a; reboot",
    "a && b > c",
    "a'b\"c\\d",
    "\\'",
    "${path.cwd}",
    "%{ if true }",
    "$${",
    "{{ 7*7 }}",
    "{% include 'x' %}",
    "{#",
    "a: b",
    "- a",
    "# c",
    "&a",
    "*a",
    "!!x",
    "%TAG",
    "%s",
    "%n",
    "é",
    "🙂",
    "=",
    "[x]",
    "a=b",
    "no",
    "~",
  ];
  for (const value of hostile) {
    assert.is(text(value), value);
    assert.is(text(JSON.stringify(value)), value);
    if (!value.includes("'")) {
      assert.is(text(`'${value}'`), value);
    }
  }
});

test("a line break or another hidden character in a value is refused", () => {
  refused(
    withValue("greengrass", "no_proxy", '"a\\nb"'),
    "settings.ini:7:12: value has U+000A (line feed); one line, one value",
    "on one line",
  );
  refused(
    withValue("greengrass", "no_proxy", "a\u001b[31mb"),
    "settings.ini:7:12: value has U+001B (escape); one line, one value",
  );
  refused(
    withValue("greengrass", "no_proxy", "a\u2028b"),
    "settings.ini:7:12: value has U+2028 (line separator); one line, one value",
  );
  refused(
    withValue("greengrass", "no_proxy", "a\u00a0b"),
    "settings.ini:7:12: value has U+00A0 (no-break space); one line, one value",
  );
  refused(
    withValue("greengrass", "no_proxy", '"\\ud800"'),
    "settings.ini:7:12: value has U+D800; one line, one value",
  );
});

test("hidden characters are shown as escapes, and a long value is cut", () => {
  refused(withValue("aws", "region", "a\u001b[31m"), 'settings.ini:3:10: unknown region "a\\u001b[31m"');
  refused(
    withValue("aws", "region", "x".repeat(500)),
    `settings.ini:3:10: unknown region "${"x".repeat(120)}…"`,
  );
  refused(withValue("aws", "region", "%s%n"), 'settings.ini:3:10: unknown region "%s%n"');
});

test("every problem is reported in one run, in the order of the lines", () => {
  const problems = problemsOf(() =>
    parsed(
      [
        "[aws]",
        "account = 1",
        "nonsense",
        "regoin = x",
        "[instance]",
        "name = a b",
        "[greengrass]",
        "version = latest",
        "[thing t]",
        "",
      ].join("\n"),
    ),
  );
  assert.equal(
    problems.map((one) => `${one.location?.line}:${one.location?.column}`),
    ["2:11", "3:1", "4:1", "6:8", "8:11", "9:1", "9:1"],
  );
});

test("a long list of problems is cut, and says so", () => {
  const problems = problemsOf(() => parsed(`${LEAST}${"nonsense\n".repeat(1000)}`));
  assert.is(problems.length, 101);
  assert.is(problems.at(-1)?.what, "900 more problems from here on");
  assert.is(problems.at(-1)?.location?.line, 109);
});

test("a missing section or key says what to add", () => {
  refused(
    LEAST.replace("[greengrass]\nversion = 2.16.0\n", ""),
    "settings.ini:6:1: no [greengrass]",
    "add [greengrass] with version",
  );
  refused(
    LEAST.replace("[core core-1]\n", ""),
    "settings.ini:7:1: no [core NAME]; at least one is needed",
    "[core core-1]",
  );
  refused(
    LEAST.replace("region = eu-west-1\n", ""),
    "settings.ini:1:1: [aws] has no region",
    "region = eu-west-1",
  );
  refused(`${LEAST}[thing t]\n`, "settings.ini:9:1: [thing t] has no core", "core = core-1");
});

test("a value in a section with a refused line is not said to be missing", () => {
  refused(
    LEAST.replace("region = eu-west-1", "region : eu-west-1"),
    "settings.ini:3:1: no '='; did you mean `key = value`?",
  );
});

test("a name for a section that takes none is refused", () => {
  refused(LEAST.replace("[aws]", "[aws main]"), "settings.ini:1:6: [aws] takes no name", "write [aws]");
});

test.run();
