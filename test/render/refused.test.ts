import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { problemsOf, rendered, shortly } from "./render.ts";
import { tempFolder } from "../support/temp.ts";

test("56: a syntax error is placed where it stands, or where that began which is never closed", () => {
  const cases: readonly (readonly [template: string, expected: string])[] = [
    ["a\n{{ a b }}", "DP503 x.md.njk:2:6 expected variable end"],
    ["a\n {{ a ", "DP503 x.md.njk:2:2 the output {{ is not closed"],
    ['a\n {{ "a }}\n{{ b }}', "DP503 x.md.njk:2:2 the output {{ is not closed"],
    [
      "{% if a %}\n{% if b if c else d %}\n{% endif %}\n",
      "DP503 x.md.njk:1:1 the tag {% if %} is not closed",
    ],
    ["{% if a %}{% endif %}\n{%- for a in b %}\n", "DP503 x.md.njk:2:1 the tag {% for %} is not closed"],
    [
      "\na ${#A} b ${B%#}",
      "DP503 x.md.njk:2:4 `{#` begins a comment, also in ${#NAME}: put {% raw %} and {% endraw %} around the shell's",
    ],
    ["\n a {# b", "DP503 x.md.njk:2:4 the comment {# is not closed"],
    ["{% endif %}", 'DP503 x.md.njk:1:4 the tag "endif" closes nothing that is open'],
    ["{% fi x %}", 'DP503 x.md.njk:1:4 there is no tag "fi"'],
    ["{{ }}", "DP503 x.md.njk:1:4 unexpected token: }}"],
    ['{{ a"b }}', 'DP503 x.md.njk:1:4 "a"b" is not a name'],
    [
      "{{ " + "(".repeat(20_000),
      "DP503 x.md.njk:undefined:undefined tags or expressions are nested too deeply",
    ],
  ];
  for (const [template, expected] of cases) {
    assert.equal(shortly(problemsOf({ "x.md.njk": template })), [expected], template);
  }
});

test("56: an unknown filter is named with its place and the one that was meant", () => {
  const [problem] = problemsOf({ "x.sh.njk": "\nA={{ a | uper | sh }}" });
  assert.equal(problem, {
    code: "DP505",
    location: { file: "x.sh.njk", line: 2, column: 10 },
    what: 'there is no filter "uper"',
    fix: "did you mean upper?",
  });
  assert.match(problemsOf({ "x.sh.njk": "A={{ a | default(1) | sh }}" })[0]?.why ?? "", /hide a slip/);
  assert.equal(shortly(problemsOf({ "x.sh.njk": "A={{ a | join | sh }}\nB={{ a | sh(1) }}" })), [
    "DP505 x.sh.njk:1:10 the filter join takes one argument",
    "DP505 x.sh.njk:2:10 the filter sh takes no argument",
  ]);
});

test("all problems that the texts of a template and its includes show are reported in one run, in the order of the file", () => {
  const problems = problemsOf({
    "a.sh.njk":
      'echo {{ x | sh }}\n{{ x }}\n{% include "b.sh.njk" %}\n{% include "b.sh.njk" %}\n{% include "c.sh.njk" %}\n{% set y = 1 %}\n',
    "b.sh.njk": "A={{ x | nofilter | sh }}\n",
    "c.sh.njk": "\n{{ x y }}",
  });
  assert.equal(
    problems.map(({ code, location: place }) => `${code} ${place?.file}:${place?.line}:${place?.column}`),
    [
      "DP508 a.sh.njk:1:6",
      "DP507 a.sh.njk:2:1",
      "DP504 a.sh.njk:6:4",
      "DP505 b.sh.njk:1:10",
      "DP503 c.sh.njk:2:6",
    ],
  );
});

test("58: no template can call a function, reach a prototype or run code", () => {
  const canary = join(tempFolder("canary"), "ran");
  const attack = `require("node:fs").writeFileSync(${JSON.stringify(canary)}, "")`;
  const values = { range: () => 1, x: { y: "" }, list: ["a"], f: () => "called" };
  const templates = [
    `{{ range.constructor('${attack}')() }}`,
    "{{ range(0, 1e9) }}",
    "{% for i in range(0, 1000000000) %}{% endfor %}",
    "{{ f() }}",
    "{{ x.constructor }}",
    '{{ x["constructor"] }}',
    "{{ x.__proto__ }}",
    '{{ x["__pro" ~ "to__"] }}',
    "{{ x.y.prototype }}",
    "{{ __dirname }}",
    "{{ constructor }}",
    "{% for constructor in list %}{% endfor %}",
    "{{ x[x] }}",
    "{{ list[0 if true else 1] }}",
    "{{ r/a/g }}",
    '{{ {"a": x.y} }}',
    '{{ list | join(sep="") }}',
    "{{ x is callable }}",
    "{{ super() }}",
    "{{ caller() }}",
    "{{ (x.y, f)() }}",
    "{{ list.map(f) }}",
    "{{ cycler(1) }}",
    "{% macro m() %}{% endmacro %}",
    "{% call m() %}{% endcall %}",
    '{% import "a.md.njk" as a %}',
    '{% from "a.md.njk" import a %}',
    "{% set a = 1 %}",
    "{% set a %}b{% endset %}",
    "{% block a %}{% endblock %}",
    '{% extends "a.md.njk" %}',
    "{% filter upper %}a{% endfilter %}",
    "{% switch x %}{% case 1 %}{% endswitch %}",
    "{% asyncEach a in list %}{% endeach %}",
    "{% asyncAll a in list %}{% endall %}",
    "{% ifAsync x %}{% endif %}",
    "{% for a, b, c in list %}{% endfor %}",
    "{% for loop in list %}{% endfor %}",
    "{% for a in list %}{{ loop }}{% endfor %}",
    "{% for a in list %}{{ loop.parent }}{% endfor %}",
    `{% for a"+${attack}+" in list %}{% endfor %}`,
    "{{ x.y if x }}",
    "{{ 1 < 2 < 3 }}",
    "{{ +1 }}",
    "{{ x.y | nunjucks.escape }}",
    "{{ x.y | safe }}",
    "{{ x.y | dump }}",
  ];
  for (const template of templates) {
    const [problem] = problemsOf({ "x.md.njk": template }, values);
    assert.ok(["DP503", "DP504", "DP505"].includes(problem?.code ?? ""), template);
    assert.type(problem?.location?.line, "number", template);
  }
  for (const template of ["{{ f }}", "{{ list.map }}", "{{ x.valueOf }}", "{{ list.length.toFixed }}"]) {
    assert.is(problemsOf({ "x.md.njk": template }, values)[0]?.code, "DP509", template);
  }
  assert.not(existsSync(canary));
  assert.is(
    rendered({ "x.md.njk": `{{ '${attack.replaceAll("'", "\\'")}' }}\u2028` }, values),
    `${attack}\u2028`,
  );
});

test("58: a template that includes itself, directly or not, is refused by the circle's name", () => {
  const files = {
    "a.md.njk": '{% include "b.md.njk" %}',
    "b.md.njk": '\n{% if x %}{% include "./c.md.njk" %}{% endif %}',
    "c.md.njk": '{% include "b.md.njk" %}',
  };
  assert.equal(shortly(problemsOf(files, { x: false })), [
    "DP506 c.md.njk:1:12 the template includes itself: b.md.njk → c.md.njk → b.md.njk",
  ]);
});

test("58: an include must be a constant path of the same language inside of the project", () => {
  const files = (include: string): Record<string, string> => ({
    "t/a.sh.njk": `{% include ${include} %}`,
    "b.yaml.njk": "",
    "t/b.sh.njk": "b",
    "c.sh.njk": "c",
  });
  assert.is(rendered(files('"./b.sh.njk"')), "b");
  assert.is(rendered(files('"../c.sh.njk"')), "c");
  const codes = new Map([
    ["x", "DP504"],
    ['"a" ~ x', "DP504"],
    ['"../../c.sh.njk"', "DP506"],
    ['"t/../../c.sh.njk"', "DP506"],
    ['"/etc/c.sh.njk"', "DP506"],
    ['"a\\\\b.sh.njk"', "DP506"],
    ['"./"', "DP506"],
    ['"b.yaml.njk"', "DP506"],
    ['"b.sh.njk"', "DP501"],
    ['["c.sh.njk"]', "DP504"],
  ]);
  for (const [include, code] of codes) {
    assert.is(problemsOf(files(include), { x: "c.sh.njk" })[0]?.code, code, include);
  }
});

test("a template whose name tells no language, or that is not there, is refused", () => {
  assert.equal(shortly(problemsOf({ "a.tf.njk": "" })), [
    'DP502 a.tf.njk:undefined:undefined no quoting filter for "a.tf.njk"',
  ]);
  assert.equal(shortly(problemsOf({ "a.njk": "" }))[0]?.slice(0, 5), "DP502");
  assert.equal(
    shortly(problemsOf({ "none/a.sh.njk": undefined as unknown as string }))[0]?.slice(0, 5),
    "DP501",
  );
});

test("58: output over 10 MB, loops over a million turns and includes that multiply end at a limit", () => {
  const thousand = Array.from({ length: 1000 }, () => 1);
  const nested = (body: string): string =>
    "{% for a in l %}{% for b in l %}".concat(body, "{% endfor %}{% endfor %}");
  assert.equal(shortly(problemsOf({ "a.md.njk": nested("0123456789ab") }, { l: thousand })), [
    "DP511 a.md.njk:undefined:undefined the output is longer than 10 MB",
  ]);
  assert.is(
    problemsOf({ "a.md.njk": nested("") }, { l: [...thousand, 1] })[0]?.what,
    "the loops of this template make too many turns",
  );
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`${i}.md.njk`, `{% include "${i + 1}.md.njk" %}`.repeat(2)]),
  );
  assert.match(problemsOf({ ...doubling, "30.md.njk": "" })[0]?.what ?? "", /more than 50000 parts/);
  assert.match(
    problemsOf({ "a.md.njk": `{{ ${Array.from({ length: 1000 }, () => "a").join(" ~ ")} }}` })[0]?.what ?? "",
    /more than 200 levels/,
  );
  const loops = (count: number): string => "{% for k, v in o %}".repeat(count) + "{% endfor %}".repeat(count);
  assert.match(problemsOf({ "a.md.njk": loops(7) })[0]?.what ?? "", /more than 6 loops/);
});

test.run();
