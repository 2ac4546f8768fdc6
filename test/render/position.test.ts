import { test } from "uvu";
import * as assert from "uvu/assert";
import { problemsOf, rendered, shortly } from "./render.ts";

const VALUES = { x: "v", list: ["a", "b"], yes: true };

/** Each template renders. */
function accepted(file: string, templates: readonly string[]): void {
  for (const template of templates) {
    assert.type(rendered({ [file]: template }, VALUES), "string", template);
  }
}

/** Each template has exactly one problem with the position of the output on the given line. */
function refused(
  file: string,
  templates: readonly (readonly [template: string, reason: RegExp])[],
  line?: number,
): void {
  for (const [template, reason] of templates) {
    const problems = shortly(problemsOf({ [file]: template }, VALUES));
    const at = line ?? template.slice(0, template.indexOf("{{")).split("\n").length;
    assert.is(problems.length, 1, `${template}\n${problems.join("\n")}`);
    assert.match(problems[0] ?? "", new RegExp(`^DP508 ${file}:${at}:`), template);
    assert.match(problems[0] ?? "", reason, template);
  }
}

test("58: an output without its language's quoting filter is refused, and the filter is named", () => {
  for (const [file, template] of [
    ["a.sh.njk", "A={{ x }}"],
    ["a.yaml.njk", "a: {{ x }}"],
    ["a.yml.njk", "a: {{ x | json }}"],
    ["a.json.njk", "{{ x | yaml }}"],
    ["a.ini.njk", "a = {{ x | upper }}"],
    ["a.sh.njk", "A={{ x | sh if yes else x | sh }}"],
    ["a.sh.njk", "A={{ x | sh | upper }}"],
    ["a.sh.njk", 'A={{ "x" }}'],
  ] as const) {
    const [problem] = problemsOf({ [file]: template }, VALUES);
    assert.is(problem?.code, "DP507", template);
    assert.match(problem?.fix ?? "", /^use \{\{ (?:x|…) \| (?:sh|yaml|json|ini) \}\}$/);
  }
  assert.is(problemsOf({ "a.sh.njk": "A={{ x }}" }, VALUES)[0]?.fix, "use {{ x | sh }}");
});

test("in a shell script a value stands as the whole right side of an assignment, or behind `set --`", () => {
  accepted("a.sh.njk", [
    "A={{ x | sh }}",
    "  export A={{ x | sh }}\nreadonly B={{ x | sh }}\n",
    "set -- {{ list | sh }}\n",
    "echo 'a' \"b\" # it's\nA={{ x | sh }}\n",
    "cat <<EOF\n'\"`\nEOF\nA={{ x | sh }}\n",
    "cat <<-'E' <<F\n\tit's\n\tE\n\"\nF\nA={{ x | sh }}\n",
    'X="$(echo \'a"b\')"\nA={{ x | sh }}\n',
    "cat <<<x\nA={{ x | sh }}\n",
    "cat <<'EOF'\na\\\nEOF\nA={{ x | sh }}\n",
    "cat <<EOF\na\\\\\nEOF\nA={{ x | sh }}\n",
    "echo a \\\n  b\nA={{ x | sh }}\n",
    "(\nA={{ x | sh }}\n)\n",
    "N=$((1 << 2))\nA={{ x | sh }}\n",
    "case $1 in\n  a)\nA={{ x | sh }}\n;;\nesac\nA={{ x | sh }}\n",
    "echo \\' \\\"\nA={{ x | sh }}\n",
    'X="${1:-it\'s}" Y=${% raw %}{#Z}{% endraw %}\nA={{ x | sh }}\n',
    "{% if yes %}\nA={{ x | sh }}\n{% else %}\nA={{ x | sh }}\n{% endif %}\n",
    '{% for i in list %}\nA={{ i | sh }}\nrun "$A"\n{% endfor %}\n',
    "echo {% if yes %}a{% else %}b{% endif %}\nA={{ x | sh }}\n",
  ]);
  refused("a.sh.njk", [
    ["echo {{ x | sh }}", /not the whole right side/],
    ['A="{{ x | sh }}"', /open "/],
    ["A='{{ x | sh }}'", /open '/],
    ["A=$(echo {{ x | sh }})", /whole right side/],
    ["A=`{{ x | sh }}`", /open `/],
    ["# A={{ x | sh }}", /whole right side/],
    ["A={{ x | sh }}b", /something follows/],
    ["A={{ x | sh }} reboot", /something follows/],
    ["A={{ x | sh }};", /something follows/],
    ["A=b{{ x | sh }}", /whole right side/],
    ["A =\\\nB={{ x | sh }}", /whole right side/],
    ["cat <<EOF\nA={{ x | sh }}\nEOF\n", /here-document EOF/],
    ["cat <<'a b'\nA={{ x | sh }}\na b\n", /here-document a b/],
    ["X='\nA={{ x | sh }}\n'", /open '/],
    ['X="$(\n"\nA={{ x | sh }}\n"\n)"\n', /open "/],
    ['X="\nA={{ x | sh }}\n"', /open "/],
    ["X=`\nA={{ x | sh }}\n`", /open `/],
    ["cat <<$X\nA={{ x | sh }}\n", /unusual delimiter/],
    ["X=$'it\\'s'\nA={{ x | sh }}\n", /not POSIX/],
    ["A[0]={{ x | sh }}", /whole right side/],
    ["eval A={{ x | sh }}", /whole right side/],
    ["{% if yes %}A={% else %}B {% endif %}{{ x | sh }}", /whole right side/],
    ["A={{ x | sh }}{% if yes %} b{% endif %}", /something follows/],
    ["set {{ x | sh }}", /whole right side/],
    // A backslash at the end of a line is taken away before anything else is looked for (B3).
    ["cat <<EOF\na\\\nEOF\nA={{ x | sh }}\nEOF\n", /a line of a here-document above ends with a backslash/],
    ["cat <<EOF\n\\\\\\\nEOF\nA={{ x | sh }}\nEOF\n", /ends with a backslash/],
    ["cat <\\\n<EOF\nA={{ x | sh }}\nEOF\n", /here-document EOF/],
    ["cat <<E\\\nOF\nA={{ x | sh }}\nEOF\n", /here-document EOF/],
    ["echo $\\\n'it\\'s'\nA={{ x | sh }}\n", /not POSIX/],
  ]);
  assert.ok(
    shortly(problemsOf({ "a.sh.njk": "A={{ x | sh }}{{ x | sh }}" }, VALUES)).some((problem) =>
      /another value follows/.test(problem),
    ),
  );
});

test("a template whose tags open a quote without closing it is refused", () => {
  for (const [file, template] of [
    ["a.sh.njk", '{% if yes %}"{% endif %}\nA={{ x | sh }}\n'],
    ["a.sh.njk", "{% for i in list %}'{% endfor %}\n"],
    ["a.json.njk", '[{% if yes %}"{% endif %}]'],
  ] as const) {
    assert.match(
      shortly(problemsOf({ [file]: template }, VALUES))[0] ?? "",
      /^DP508 \S+:1:\d+ the ways around this tag leave the text in different states/,
      template,
    );
  }
});

test("an included file is checked where it is included", () => {
  const part = { "b.sh.njk": "A={{ x | sh }}\n" };
  assert.is(rendered({ "a.sh.njk": '{% include "b.sh.njk" %}\n', ...part }, VALUES), "A='v'\n");
  assert.match(
    shortly(problemsOf({ "a.sh.njk": 'X="\n{% include "b.sh.njk" %}\n"', ...part }, VALUES))[0] ?? "",
    /^DP508 b\.sh\.njk:1:3 .*open "/,
  );
  assert.match(
    shortly(problemsOf({ "a.sh.njk": 'echo {% include "b.sh.njk" %}', ...part }, VALUES))[0] ?? "",
    /^DP508 b\.sh\.njk:1:3 .*whole right side/,
  );
});

test("in YAML a value comes after `key: ` or `- ` and ends its line", () => {
  accepted("a.yaml.njk", [
    "a: {{ x | yaml }}",
    "a.b/c-d e:f: {{ x | yaml }}\n",
    "- {{ x | yaml }}\n- - {{ x | yaml }}\n- k: {{ x | yaml }}\n  l: {{ x | yaml }}\n",
    "a:\n  b: {{ x | yaml }}\nc: d\ne: {{ x | yaml }}\n",
    "--- # it's\na: it's\nb: {{ x | yaml }}\n",
    'a: |\n  text "\n\nb: {{ x | yaml }}\n',
    "- k: >-\n    text\n  l: {{ x | yaml }}\n",
    "a: \"x # y\"\nb: 'it''s'\nc: {{ x | yaml }}\n",
    'a: "two\n  lines"\nb: {{ x | yaml }}\n',
    "a: [1, \"b\"]\nb: {c: 'd'}\ne: {{ x | yaml }}\n",
    "a: &anchor\n  b: {{ x | yaml }}\n",
    "{% for i in list %}\n- name: {{ i | yaml }}\n  key: 1\n{% endfor %}\n",
    "a: [\n  1\n]\nb: {{ x | yaml }}\n",
    "a: {% if yes %}true{% else %}false{% endif %}\nb: {{ x | yaml }}\n",
    "a:\n- {{ x | yaml }}\n",
    "{{ x | yaml }}\n",
  ]);
  refused("a.yaml.njk", [
    ["a: x{{ x | yaml }}", /not the whole value/],
    ['a: "{{ x | yaml }}"', /not the whole value/],
    ["a: {{ x | yaml }} # c", /something follows/],
    ["a: [{{ x | yaml }}]", /not the whole value/],
    ["# a: {{ x | yaml }}", /not the whole value/],
    ["a: b # c: {{ x | yaml }}", /not the whole value/],
    ['"a": {{ x | yaml }}', /not the whole value/],
    ["a: !!str {{ x | yaml }}", /not the whole value/],
    ["{{ x | yaml }}: b", /something follows/],
    ["a:{{ x | yaml }}", /not the whole value/],
    ["a: |\n  b: {{ x | yaml }}\n", /text of a block/],
    ["a: >2-  # folded\n\n   b\n  c: {{ x | yaml }}\n", /text of a block/],
    ["- a: |\n   b: {{ x | yaml }}\n", /text of a block/],
    ["--- |\na: {{ x | yaml }}\n", /text of a block/],
    ["- |\n b: {{ x | yaml }}\n", /text of a block/],
    ['a: "b\n  c: {{ x | yaml }}\n  "\n', /inside a quoted text/],
    ["a: 'b\n  c: {{ x | yaml }}\n  '\n", /inside a quoted text/],
    ["a: b\n  c: {{ x | yaml }}\n", /continues the value/],
    ["a: b\n  - {{ x | yaml }}\n", /continues the value/],
    ["a: {% if yes %}|{% else %}b{% endif %}\n  c: {{ x | yaml }}\n", /text of a block/],
    ["a: b: {{ x | yaml }}\n", /not the whole value/],
  ]);
});

test("in JSON a value stands where a value may stand, outside of strings", () => {
  accepted("a.json.njk", [
    "{{ x | json }}",
    '{"a": {{ x | json }}, "b\\"": [{{ x | json }},{{ x | json }}]}',
    '{\n  "a":\n{{ x | json }}\n}\n',
    "[{% for i in list %}{{ i | json }}{% if not loop.last %},{% endif %}{% endfor %}]",
    "[{% if yes %}{{ x | json }}{% else %}1{% endif %}]",
  ]);
  refused("a.json.njk", [
    ['{"a": "{{ x | json }}"}', /inside a string/],
    ['{"a\\": {{ x | json }}"}', /inside a string/],
    ['{"a": {{ x | json }}: 1}', /something other/],
    ['{"a": 1{{ x | json }}}', /not behind/],
    ["[{{ x | json }} 1]", /something other/],
  ]);
  for (const template of ["{ {{ x | json }}: 1 }", '{"a": 1, {{ x | json }}: 1}']) {
    assert.is(problemsOf({ "a.json.njk": template }, VALUES)[0]?.code, "DP508", template);
  }
});

test("in an INI file a value stands as the whole value of a key", () => {
  accepted("a.ini.njk", [
    "[s]\na = {{ x | ini }}\nb={{ x | ini }}\n; it's\n",
    "{% for i in list %}\n[thing t]\nname = {{ i | ini }}\n{% endfor %}\n",
  ]);
  refused("a.ini.njk", [
    ["; a = {{ x | ini }}", /not the whole value/],
    ["a = {{ x | ini }} b", /something follows/],
    ["a = b{{ x | ini }}", /not the whole value/],
  ]);
  for (const template of ["[{{ x | ini }}]", 'a = "{{ x | ini }}"', "{{ x | ini }} = a"]) {
    assert.is(problemsOf({ "a.ini.njk": template }, VALUES)[0]?.code, "DP508", template);
  }
});

test.run();
