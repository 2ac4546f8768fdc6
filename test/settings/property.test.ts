import fc from "fast-check";
import { parse } from "ini";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ProblemError, problemText } from "../../lib/problem/index.ts";
import { iniValues } from "../../lib/settings/ini.ts";
import { parseSettings } from "../../lib/settings/index.ts";
import { scan } from "../../lib/settings/scan.ts";
import { LEAST, parsed, withValue, written } from "./support.ts";

const CANARY = "hunter2canary";
const words = fc.constantFrom(
  "[aws]",
  "[core core-1]",
  "[thing t]",
  "[greengrass]",
  "[",
  "]",
  "=",
  " = ",
  "\n",
  "\n",
  "\n",
  "\r\n",
  "\r",
  "\\",
  ";",
  "#",
  '"',
  "'",
  ".",
  " ",
  "\t",
  "account",
  "region",
  "name",
  "version",
  "core",
  "group",
  "sandbox",
  "2.16.0",
  "__proto__",
  "constructor",
  "true",
  "null",
  "\0",
  "\u2028",
  "\ufeff",
  `password = ${CANARY}`,
  `secret: ${CANARY}`,
  `api_key="${CANARY}`,
  `proxy_url = http://u:${CANARY}@proxy`,
  `AKIA${"A".repeat(16)}${CANARY}`,
  `-----BEGIN PRIVATE KEY-----\n${CANARY}\n${CANARY}==\n-----END PRIVATE KEY-----\n`,
);
const anything = fc.string({ unit: "binary" });
const texts = fc
  .array(fc.oneof({ weight: 6, arbitrary: words }, { weight: 1, arbitrary: anything }), { maxLength: 40 })
  .map((parts) => parts.join(""));

test("no bytes crash the reader: it gives settings, or problems with their lines", () => {
  const files = fc.oneof(
    texts.map((text) => new TextEncoder().encode(text)),
    fc.uint8Array({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(files, (bytes) => {
      try {
        parseSettings(bytes, "settings.ini");
      } catch (error) {
        if (!(error instanceof ProblemError)) {
          throw error;
        }
        assert.is(error.exitCode, 2);
        for (const { location: place, why, fix } of error.problems) {
          assert.is(place?.file, "settings.ini");
          assert.ok((place?.line ?? 0) >= 1 && (place?.column ?? 0) >= 1);
          assert.ok(why && fix);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test("no secret is ever in a message", () => {
  const lines = fc.array(
    fc.oneof(
      texts.filter((text) => !text.includes(CANARY)),
      fc.constantFrom(
        `password = ${CANARY}`,
        `my_secret: ${CANARY}`,
        `token ${CANARY}`,
        `api_key="${CANARY}`,
        `pw = '${CANARY}' x`,
        `private_key = ${CANARY}\\`,
        `proxy_url = http://u:${CANARY}@proxy`,
        `region = AKIA${"A".repeat(16)}${CANARY}`,
        `[core ASIA${"Z".repeat(16)}${CANARY}]`,
        `group = -----BEGIN RSA PRIVATE KEY-----\n${CANARY}\n${CANARY}==\n${CANARY} = x\n-----END RSA PRIVATE KEY-----`,
      ),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(lines, (some) => {
      try {
        parsed(LEAST + some.join("\n"));
      } catch (error) {
        if (!(error instanceof ProblemError)) {
          throw error;
        }
        assert.not.match(error.problems.map(problemText).join("\n"), CANARY);
      }
    }),
    { numRuns: 2000 },
  );
});

test("any text without hidden characters comes through a quoted value as it is", () => {
  const visible = fc
    .string({ unit: "grapheme", maxLength: 100 })
    .filter((text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", "")));
  fc.assert(
    fc.property(visible, (value) => {
      assert.is(written(withValue("greengrass", "no_proxy", JSON.stringify(value))), value);
    }),
    { numRuns: 1000 },
  );
});

test("ini reads of the prepared text what the scan saw, whatever the file says", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const { sections } = scan(text, "settings.ini");
      const seen = [...sections.values()].map(({ title, entries }) => [
        title,
        [...entries.values()].map(({ key, value }) => [key, value]).sort(),
      ]);
      const read = Object.entries(iniValues(sections.values())).map(([title, keys]) => [
        title,
        Object.entries(keys)
          .map(([key, value]) => [key, String(value)])
          .sort(),
      ]);
      assert.equal(read.sort(), seen.sort());
    }),
    { numRuns: 3000 },
  );
});

test("a plain file says to the scan what it says to ini alone", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  const value = fc
    .stringMatching(/^[A-Za-z0-9/:@%,.+-][A-Za-z0-9/:@%,.+ -]{0,20}[A-Za-z0-9]$/)
    .filter((text) => !["true", "false", "null"].includes(text));
  const file = fc.dictionary(word, fc.dictionary(word, value, { maxKeys: 5 }), { maxKeys: 5 });
  fc.assert(
    fc.property(file, (sections) => {
      const lines = Object.entries(sections).flatMap(([name, keys]) => [
        `[${name}]`,
        ...Object.entries(keys).map((pair) => pair.join(" = ")),
      ]);
      const text = lines.join("\n");
      const scanned = scan(text, "settings.ini");
      assert.equal(scanned.problems, []);
      const seen = Object.fromEntries(
        [...scanned.sections.values()].map(({ title, entries }) => {
          return [title, Object.fromEntries([...entries.values()].map((one) => [one.key, one.value]))];
        }),
      );
      assert.equal(seen, JSON.parse(JSON.stringify(parse(text))));
    }),
    { numRuns: 500 },
  );
});

test.run();
