import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { unsafe } from "ini";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { unquoted } from "../../lib/settings/quoted.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith, toolPath } from "../support/tools.ts";
import { rendered } from "./render.ts";

const canary = join(tempFolder("canary"), "ran");

/**
 * Texts that have broken a quoting somewhere; the numbers in the tests' names are rows of the project's list
 * of hostile input.
 */
const HOSTILE: readonly string[] = [
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `; touch ${canary}`,
  `&& touch ${canary}`,
  `| touch ${canary}`,
  `'; touch ${canary}; '`,
  `"; touch ${canary}; "`,
  `\ntouch ${canary}\n`,
  `\r\ntouch ${canary}\r\n`,
  `> ${canary}`,
  `!touch`,
  `'$(touch ${canary})'`,
  `\\'; touch ${canary}; \\'`,
  `EOF\ntouch ${canary}`,
  "",
  " ",
  "  a  ",
  "\t",
  "a\tb",
  "\n",
  "a\n",
  "\r",
  "'",
  '"',
  "\\",
  "\\\\",
  "'\\''",
  "\"'\\",
  "\\n",
  "\\u0041",
  "'a'",
  '"a"',
  "it's",
  "''",
  '""',
  "${path.cwd}",
  "%{ if true }",
  "$${",
  "${HOME}",
  "$HOME",
  "$1",
  "$$",
  "%s",
  "%n",
  "%00",
  "~",
  "*",
  "?",
  "[a-z]",
  "{a,b}",
  "-n",
  "-e",
  "--",
  "-",
  "- a",
  "#",
  "# c",
  "a # c",
  "a#b;c",
  "{{ 7*7 }}",
  '{% include "x" %}',
  "{#",
  "#}",
  "{% raw %}",
  "a: b",
  "a:",
  ": a",
  "? a",
  "&a",
  "*a",
  "!!x",
  "!x",
  "%TAG",
  "@a",
  "|",
  ">",
  "|-",
  "---",
  "...",
  "[",
  "]",
  "{",
  "}",
  ",",
  "[a",
  "{a: b}",
  "true",
  "false",
  "True",
  "yes",
  "no",
  "on",
  "off",
  "y",
  "n",
  "null",
  "Null",
  "~null",
  "1",
  "012",
  "0o7",
  "0x1f",
  "1e3",
  "1_000",
  "1:30",
  ".5",
  ".inf",
  ".nan",
  "2001-12-14",
  "2001-12-14t21:59:43.10-05:00",
  "<<",
  "=",
  "a=b",
  "[s]",
  "; c",
  "key[]",
  "\u001b[31m",
  "\u0007",
  "\u007f",
  "\u0080",
  "\u0085",
  "a\u0085b",
  "\u00a0",
  "\u00ad",
  "\u2028",
  "\u2029",
  "\u202ea",
  "\u200b",
  "\ufeff",
  "\ufeffa",
  "\ufffd",
  "\ufffe",
  "\uffff",
  "é",
  "🙂",
  "\u{10ffff}",
  "x".repeat(100_000),
  "'".repeat(1000),
  "__proto__",
  "constructor",
];
const texts = fc.array(fc.string({ unit: "binary", maxLength: 30 }), {
  minLength: 200,
  maxLength: 400,
  size: "max",
});
const RUNS = { numRuns: 5, examples: [[[...HOSTILE]]] as [string[]][] };

/** What a program writes for a script, as text. */
function output(program: string, args: readonly string[], input = ""): string {
  const run = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: 1 << 27 });
  assert.is(run.status, 0, run.stderr);
  return run.stdout;
}

for (const shell of ["sh", "dash", "bash"]) {
  testWith(
    test,
    [shell],
    `40, 41, 42, 43: ${shell} reads every value back equal and runs none of them`,
    () => {
      const folder = tempFolder("sh");
      const template =
        "{% for v in values %}\nV={{ v | sh }}\nprintf '%s\\0' \"$V\"\n{% endfor %}\nset -- {{ values | sh }}\nprintf '%s\\0' \"$@\"\n";
      fc.assert(
        fc.property(texts, (random) => {
          const values = random.filter((value) => !value.includes("\0"));
          writeFileSync(join(folder, "a.sh"), rendered({ "a.sh.njk": template }, { values }));
          assert.equal(
            output(shell, [join(folder, "a.sh")])
              .split("\0")
              .slice(0, -1),
            [...values, ...values],
          );
        }),
        RUNS,
      );
      assert.not(existsSync(canary));
    },
  );
}

const YAML_TEMPLATE =
  "values:\n{% for v in values %}\n- {{ v | yaml }}\n- key: {{ v | yaml }}\n{% endfor %}\nwhole: {{ values | yaml }}\n";
function yamlOf(values: readonly unknown[]): string {
  return rendered({ "a.yaml.njk": YAML_TEMPLATE }, { values });
}
function fromYaml(values: readonly unknown[]): unknown {
  return { values: values.flatMap((value) => [value, { key: value }]), whole: values };
}
/** Objects that compare equal whatever their prototypes; -0 is 0, as JSON has it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
const NUMBERS = [0, -0, 1, -1.5, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 123456789012345680000, 0.1];
const anything = fc.array(fc.jsonValue({ stringUnit: "binary", maxDepth: 3 }), {
  minLength: 1,
  maxLength: 60,
  size: "max",
});

for (const version of ["1.1", "1.2"] as const) {
  test(`40 to 46: YAML ${version} reads every text back equal`, () => {
    fc.assert(
      fc.property(texts, (values) => {
        assert.equal(
          parse(yamlOf([...values, "\ud800", "a\udc00b"]), { version }),
          fromYaml([...values, "\ud800", "a\udc00b"]),
        );
      }),
      RUNS,
    );
  });

  test(`YAML ${version} reads numbers, booleans, null, lists and objects back equal`, () => {
    assert.equal(plain(parse(yamlOf(NUMBERS), { version })), plain(fromYaml(NUMBERS)));
    fc.assert(
      fc.property(anything, (values) => {
        assert.equal(plain(parse(yamlOf(values), { version })), plain(fromYaml(values)));
      }),
      { numRuns: 30 },
    );
  });
}

const python = toolPath("python3");
const pyYaml = python !== undefined && spawnSync(python, ["-c", "import yaml"]).status === 0;
if (!pyYaml) {
  console.error("\nNOT RUN (needs python3 with PyYAML): PyYAML reads every value back equal");
}
(pyYaml ? test : test.skip)("40 to 46: PyYAML reads every value back equal", () => {
  const script =
    "import sys, json, yaml; json.dump(yaml.load(sys.stdin.buffer.read(), getattr(yaml, 'CSafeLoader', yaml.SafeLoader) if len(sys.argv) > 1 else yaml.SafeLoader), sys.stdout)";
  const short = HOSTILE.filter((value) => value.length < 10_000);
  const random = fc.sample(fc.string({ unit: "binary", maxLength: 30 }), 600);
  const values = [
    ...short,
    ...random,
    ...NUMBERS,
    true,
    null,
    ...fc.sample(fc.jsonValue({ stringUnit: "binary", maxDepth: 3 }), 60),
  ];
  for (const loader of [[], ["C"]]) {
    assert.equal(
      plain(JSON.parse(output(python ?? "", ["-c", script, ...loader], yamlOf(values)))),
      plain(fromYaml(values)),
    );
  }
});

test("40 to 44: JSON reads every value back equal", () => {
  const template =
    '{"values": [\n{% for v in values %}\n{{ v | json }}{% if not loop.last %},{% endif %}\n\n{% endfor %}\n], "whole": {{ values | json }}}\n';
  const check = (values: readonly unknown[]): void => {
    assert.equal(
      plain(JSON.parse(rendered({ "a.json.njk": template }, { values }))),
      plain({ values, whole: values }),
    );
  };
  fc.assert(fc.property(texts, check), RUNS);
  fc.assert(fc.property(anything, check), { numRuns: 30 });
  check(NUMBERS);
});

test("40 to 44: the package ini and the settings reader read every value of one line back equal", () => {
  const template = "{% for v in values %}\nkey = {{ v | ini }}\n{% endfor %}\n";
  fc.assert(
    fc.property(texts, (random) => {
      const values = random.filter((value) => !/[\r\n]/.test(value));
      const lines = rendered({ "a.ini.njk": template }, { values })
        .split(/[\r\n\u2028\u2029]/)
        .slice(0, -1);
      const raw = lines.map((line) => line.replace(/^key = /, ""));
      assert.equal(
        raw.map((value) => unsafe(value)),
        values,
      );
      assert.equal(
        raw.map((value) => unquoted(value.trim())),
        values.map((value) => ({ value })),
      );
    }),
    RUNS,
  );
  assert.is(
    rendered({ "a.ini.njk": template }, { values: ["eu-west-1", 8883, true, "a b"] }),
    'key = eu-west-1\nkey = 8883\nkey = true\nkey = "a b"\n',
  );
});

test("an object's key that YAML takes only up to 1024 characters is refused when it is longer", () => {
  assert.throws(
    () => rendered({ "a.yaml.njk": "{{ v | yaml }}" }, { v: { ["k".repeat(1100)]: 1 } }),
    /v has a key of more than 1000 characters/,
  );
});

test.run();
