import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ProblemError, type Problem } from "../../lib/problem/index.ts";
import { createRenderer, type Renderer } from "../../lib/render/index.ts";
import { tempFolder } from "../support/temp.ts";
import { problemsOf, rendered, shortly } from "./render.ts";

test("a template shows values, loops over lists and objects, and chooses", () => {
  const template = [
    "{% for host in hosts %}",
    "- {{ loop.index }} {{ host.name }}{% if host.port == 8883 %} (MQTT){% elif not host.port %} (closed){% else %} (other){% endif %}",
    "{% else %}",
    "no host",
    "{% endfor %}",
    "{% for key, value in labels %}",
    '{{ key }}: {{ value | upper }} {{ ("yes" if key in ["a"] else "no") ~ loop.last }}',
    "{% endfor %}",
    '{{ hosts | length }} {{ names | join(", ") }} {{ hosts[0].name }} {{ 2 + 3 * 4 - 1 }} {# unseen #}{% raw %}{{ raw }}{% endraw %}',
    "",
  ].join("\n");
  const values = {
    hosts: [
      { name: "a", port: 8883 },
      { name: "b", port: 0 },
      { name: "c", port: 22 },
    ],
    labels: { a: "x", b: "y" },
    names: ["p", 1, true],
  };
  assert.is(
    rendered({ "a.md.njk": template }, values),
    [
      "- 1 a (MQTT)",
      "- 2 b (closed)",
      "- 3 c (other)",
      "a: X yesfalse",
      "b: Y notrue",
      "3 p, 1, true a 13 {{ raw }}",
      "",
    ].join("\n"),
  );
  assert.is(
    rendered({ "a.md.njk": template.split("\n").slice(0, 5).join("\n") }, { hosts: [] }),
    "no host\n",
  );
});

test("a line with nothing but a tag or a comment leaves no line; the line end behind a tag that shares its line stays", () => {
  const template =
    "a\n  {% if x %}  \n  b {% if x %}c{% endif %}\n\t{# gone\n too #}\n{% raw %}\n{{ d }}\n{% endraw %}\n  {% endif %}\ne {% raw %}{%{% endraw %}\n{%- if x %} f{% endif %}";
  assert.is(rendered({ "a.txt.njk": template }, { x: 1 }), "a\n  b c\n{{ d }}\ne {% f");
});

test("a comparison inside of `not` is compared first, and values of different types are not equal", () => {
  assert.is(
    rendered({ "a.txt.njk": '{% if not a == "x" %}differs{% else %}same{% endif %}' }, { a: "y" }),
    "differs",
  );
  assert.is(
    rendered({ "a.txt.njk": "{% if a == 1 %}same{% else %}differs{% endif %}" }, { a: "1" }),
    "differs",
  );
});

test("44: what looks like a template in a value stays as it is", () => {
  for (const value of ["{{ 7*7 }}", '{% include "b.txt.njk" %}', "{# gone? #}", "{{ a }}"]) {
    assert.is(rendered({ "a.txt.njk": "{{ a }}" }, { a: value }), value);
    assert.equal(JSON.parse(rendered({ "a.json.njk": "{{ a | json }}" }, { a: value })), value);
  }
});

test("2: a template with CRLF, a byte order mark or lone CR renders to the bytes of one with LF", () => {
  const template = "A={{ a | sh }}\n{% if a %}\nb\n{% endif %}\nc\n";
  const plain = rendered({ "a.sh.njk": template }, { a: "1" });
  assert.is(plain, "A='1'\nb\nc\n");
  for (const text of [
    template.replaceAll("\n", "\r\n"),
    `\ufeff${template}`,
    template.replaceAll("\n", "\r"),
  ]) {
    assert.is(rendered({ "a.sh.njk": text }, { a: "1" }), plain);
  }
  assert.is(rendered({ "a.sh.njk": "A={{ a | sh }}\r\n" }, { a: "x\r\ny" }), "A='x\r\ny'\n");
});

test("47: control and direction characters of a value are shown as escapes in a text for people", () => {
  assert.is(
    rendered({ "a.md.njk": "{{ a }}\n" }, { a: "x\u001b[31m\u202e%s\n" }),
    "x\\u001b[31m\\u202e%s\\u000a\n",
  );
});

test("a template and all that it includes are asked for on every render, also what is not there", () => {
  const files: Record<string, string> = {
    "t/a.sh.njk":
      '{% if x %}\n{% include "./parts/b.sh.njk" %}\n{% endif %}\n{% include "t/none.sh.njk" ignore missing %}\n',
    "t/parts/b.sh.njk": 'B={{ x | sh }}\n{% include "../c.sh.njk" %}\n',
    "t/c.sh.njk": "# c\n",
  };
  const renderer = createRenderer();
  for (const x of ["", "1"]) {
    const asked: string[] = [];
    const text = renderer.render("t/a.sh.njk", { x }, { read: (path) => (asked.push(path), files[path]) });
    assert.equal(asked.sort(), ["t/a.sh.njk", "t/c.sh.njk", "t/none.sh.njk", "t/parts/b.sh.njk"]);
    assert.is(text, x === "" ? "" : "B='1'\n# c\n");
  }
});

test("an edit of an included file, its end and its return are seen by the next render", () => {
  const folder = tempFolder("render");
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(join(folder, path), "utf8");
    } catch {
      return undefined;
    }
  };
  writeFileSync(
    join(folder, "a.txt.njk"),
    '{% include "b.txt.njk" %}{% include "c.txt.njk" ignore missing %}',
  );
  writeFileSync(join(folder, "b.txt.njk"), "one {{ x }}");
  const renderer = createRenderer();
  assert.is(renderer.render("a.txt.njk", { x: 1 }, { read }), "one 1");
  writeFileSync(join(folder, "b.txt.njk"), "two {{ x }}");
  assert.is(renderer.render("a.txt.njk", { x: 2 }, { read }), "two 2");
  writeFileSync(join(folder, "c.txt.njk"), "!");
  assert.is(renderer.render("a.txt.njk", { x: 2 }, { read }), "two 2!");
  writeFileSync(join(folder, "b.txt.njk"), "{{ x ");
  assert.throws(() => renderer.render("a.txt.njk", { x: 2 }, { read }), /b\.txt\.njk:1:1: error DP503/);
  writeFileSync(join(folder, "b.txt.njk"), "one {{ x }}");
  assert.is(renderer.render("a.txt.njk", { x: 3 }, { read }), "one 3!");
});

test("a loop variable is seen in an included file, under its own name only", () => {
  const files = {
    "a.txt.njk": '{% for k, v in o %}{% include "b.txt.njk" %}{% endfor %}',
    "b.txt.njk": "{{ k }}={{ v }} ",
  };
  assert.is(rendered(files, { o: { a: 1, b: 2 } }), "a=1 b=2 ");
  assert.equal(shortly(problemsOf({ "a.txt.njk": "{% for v in l %}{% endfor %}{{ v }}" }, { l: [] })), [
    "DP509 a.txt.njk:1:32 v is undefined",
  ]);
});

test("a template is compiled once: another render of it takes less than half of the first", () => {
  const files: Record<string, string> = {
    "a.yaml.njk":
      'name: {{ core.name | yaml }}\n{% for t in core.things %}\n- {{ t | yaml }}\n{% endfor %}\n{% include "b.yaml.njk" %}\n',
    "b.yaml.njk": "region: {{ settings.aws.region | yaml }}\n",
  };
  const renderTo = (renderer: Renderer, name: string): void => {
    const text = renderer.render(
      "a.yaml.njk",
      { core: { name, things: ["a", "b"] }, settings: { aws: { region: "eu-west-1" } } },
      { read: (path) => files[path] },
    );
    assert.ok(text.startsWith(`name: "${name}"\n`));
  };
  /** Milliseconds for a hundred renders. */
  const timed = (rendererFor: () => Renderer): number => {
    const started = performance.now();
    for (let i = 0; i < 100; i++) {
      renderTo(rendererFor(), `core-${i}`);
    }
    return performance.now() - started;
  };
  timed(createRenderer);
  const first = timed(createRenderer);
  const one = createRenderer();
  timed(() => one);
  const again = timed(() => one);
  assert.ok(again < first / 2, `${again} ms, at first ${first} ms`);
});

test("56: an undefined variable is named with its whole path, its place and the name that was meant", () => {
  const values = { settings: { aws: { region: "x" } }, list: [{ a: 1 }], gone: null };
  const cases: readonly (readonly [template: string, column: number, what: string, fix: string])[] = [
    [
      "{{ settings.aws.regoin | sh }}",
      21,
      "settings.aws.regoin is undefined",
      "did you mean settings.aws.region?",
    ],
    ["{{ setings.aws.region | sh }}", 8, "setings is undefined", "did you mean settings?"],
    ["{{ list[1].a | sh }}", 13, "list[1] is undefined", "pass it from the rule; known here: 0"],
    ["{{ gone.a | sh }}", 13, "gone.a is not there: gone is null", "pass gone as an object"],
    [
      "{{ settings.aws.region.x | sh }}",
      28,
      "settings.aws.region.x is not there: settings.aws.region is text",
      "pass settings.aws.region as an object",
    ],
    [
      "{{ settings.toString | sh }}",
      17,
      "settings.toString is undefined",
      "pass it from the rule; known here: aws",
    ],
    [
      "{{ list | join(sep) | sh }}",
      20,
      "sep is undefined",
      "pass it from the rule; known here: settings, list, gone",
    ],
  ];
  for (const [template, column, what, fix] of cases) {
    const [problem] = problemsOf(
      { "t/x.sh.njk": `# one\nAB={{ list | length | sh }}\nAB=${template}\n` },
      values,
    );
    assert.equal(
      { ...problem, why: "" },
      { code: "DP509", location: { file: "t/x.sh.njk", line: 3, column: column - 1 }, what, fix, why: "" },
      template,
    );
  }
  for (const template of [
    "{% if a.b %}{% endif %}",
    "{% for x in a.b %}{% endfor %}",
    "{% if not (1 == a.b) %}{% endif %}",
    "{% if true and a.b %}{% endif %}",
  ]) {
    assert.match(
      shortly(problemsOf({ "x.sh.njk": template }, { a: {} }))[0] ?? "",
      /^DP509 x\.sh\.njk:1:\d+ a\.b is undefined$/,
      template,
    );
  }
});

test("a problem that a value reports when it is read says which template asked", () => {
  const missing: Problem = {
    code: "X141",
    location: { file: "settings.ini", line: 3 },
    what: "there is no setting aws.regoin",
    fix: "did you mean aws.region?",
  };
  const aws = new Proxy(
    {},
    {
      get: () => {
        throw new ProblemError([missing], 2);
      },
    },
  );
  const asked = problemsOf({ "t/x.sh.njk": "\nR={{ settings.aws.regoin | sh }}\n" }, { settings: { aws } });
  assert.equal(asked, [{ ...missing, why: "asked for by t/x.sh.njk:2:19" }]);
  const values = {
    get settings(): never {
      throw new ProblemError([{ ...missing, why: "because" }], 2);
    },
  };
  assert.is(
    problemsOf({ "t/x.sh.njk": "{% if settings %}{% endif %}" }, values)[0]?.why,
    "because; asked for by t/x.sh.njk:1:7",
  );
});

test("an object that watches its reads sees no read but those that the template makes", () => {
  const reads: string[] = [];
  const watched = new Proxy(
    { aws: { region: "r" } },
    {
      get: (target, key, receiver) => (
        reads.push(String(key)),
        Reflect.get(target, key, receiver) as unknown
      ),
    },
  );
  rendered(
    {
      "a.yaml.njk":
        "r: {{ s.aws.region | yaml }}\ns: {{ s | yaml }}\n{% for k, v in s %}\n# k\n{% endfor %}\n",
    },
    { s: watched },
  );
  assert.equal(reads, ["aws", "aws", "aws"]);
});

test("a value of the wrong type is refused by name, and never shown", () => {
  const cases: readonly (readonly [file: string, template: string, value: unknown, what: string])[] = [
    ["a.sh.njk", "A={{ v | sh }}", null, "v is null, not text, a number or a boolean"],
    ["a.sh.njk", "A={{ v | sh }}", { a: "secret" }, "v is an object, not text, a number or a boolean"],
    [
      "a.sh.njk",
      "A={{ v | sh }}",
      ["secret"],
      "v is a list, and behind NAME= its second word would run as a command",
    ],
    ["a.sh.njk", "A={{ v | sh }}", "secret\0", "v has a NUL character, which no shell word can hold"],
    ["a.sh.njk", "A={{ v | sh }}", "secret\ud800", "v has half a surrogate pair, which is not Unicode text"],
    ["a.sh.njk", "A={{ v | sh }}", NaN, "v is not a finite number, not text, a number or a boolean"],
    ["a.ini.njk", "a = {{ v | ini }}", "secret\nb = 1", "v has a line end, and an INI value is one line"],
    [
      "a.json.njk",
      "{{ v | json }}",
      { a: [new Date(0)] },
      "v is a special object, not text, a number or a boolean",
    ],
    ["a.json.njk", "{{ v | json }}", { a: undefined }, "v is undefined, not text, a number or a boolean"],
    ["a.txt.njk", "{{ v }}", ["secret"], "v is a list, not text, a number or a boolean"],
    ["a.txt.njk", "{{ v + 1 }}", "1", "v is used as a number, but an operand is text"],
    ["a.txt.njk", "{% for x in v %}{% endfor %}", "secret", "v is text, not a list"],
    ["a.txt.njk", "{% for x in v %}{% endfor %}", { length: 1e9 }, "v is an object, not a list"],
    ["a.txt.njk", "{% for x, y in v %}{% endfor %}", [], "v is a list, not an object"],
  ];
  for (const [file, template, value, what] of cases) {
    const [problem, ...more] = problemsOf({ [file]: template }, { v: value });
    assert.equal([problem?.code, problem?.what, more.length], ["DP510", what, 0]);
    assert.not.match(JSON.stringify(problem), /secret/);
  }
  const circle: unknown[] = [];
  circle.push(circle);
  const [problem] = problemsOf({ "a.json.njk": "{{ v | json }}" }, { v: circle });
  assert.match(problem?.what ?? "", /nested deeper than 64 levels, or holds itself/);
});

test("a JSON template whose result is not JSON with these values is refused", () => {
  const template = "[{% for x in l %}{{ x | json }}{% if not loop.last %},{% endif %}{% endfor %}]\n";
  assert.equal(JSON.parse(rendered({ "a.json.njk": template }, { l: [1, "b"] })), [1, "b"]);
  const [problem] = problemsOf({ "a.json.njk": template.replace("not ", "") }, { l: [1, "b"] });
  assert.is(problem?.what, "the rendered text is not JSON");
});

test.run();
