// An inventory: cores and things by the rows of a CSV file, beside the sections of settings.ini.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseSettings, type SettingsFile } from "../../lib/settings/index.ts";
import { problemsOf } from "./support.ts";

const HEAD =
  "[aws]\naccount = sandbox\nregion = eu-west-1\n[instance]\nname = acme\n[greengrass]\nversion = 2.16.0\n";
const FROM = `${HEAD}[cores]\nfrom = fleet/cores.csv\n`;

const settings = (ini: string, files: Readonly<Record<string, string>>): SettingsFile =>
  parseSettings(Buffer.from(ini), "settings.ini", {
    read: (name) => {
      const text = files[name];
      return text === undefined ? { fault: `there is no ${name}` } : Buffer.from(text);
    },
  });

const cores = (csv: string, ini = FROM): SettingsFile => settings(ini, { "fleet/cores.csv": csv });

const faults = (csv: string, ini = FROM): string[] =>
  problemsOf(() => cores(csv, ini)).map(({ code, location, what }) =>
    [code, `${location?.file}:${location?.line}:${location?.column}`, what].join(" "),
  );

test("each row is a core, each column a key; an empty cell is a key that is not set", () => {
  const found = cores('name,group,host\ncore-1,lab,pi@one\n"core-2" , "field" ,\r\n\ncore-3,,\n');
  assert.equal(found.names("core"), ["core-1", "core-2", "core-3"]);
  assert.is(found.value("core core-1.host"), "pi@one");
  assert.is(found.value("core core-2.group"), "field");
  assert.is(found.value("core core-2.host"), "");
  assert.is(found.value("core core-3.group"), "acme");
  assert.equal(found.locationOf("core core-1.host"), { file: "fleet/cores.csv", line: 2, column: 12 });
  assert.equal(found.locationOf("core core-2.group"), { file: "fleet/cores.csv", line: 3, column: 12 });
});

test("rows stand behind the sections of settings.ini, and things find both", () => {
  const ini = `${FROM}[core first]\n[things]\nfrom = things.csv\n`;
  const found = settings(ini, {
    "fleet/cores.csv": "name\nsecond\n",
    "things.csv": "core,name\nsecond,pump\nfirst,valve\n",
  });
  assert.equal(found.names("core"), ["first", "second"]);
  assert.equal(found.names("thing"), ["pump", "valve"]);
  assert.is(found.value("thing pump.core"), "second");
});

test("what is wrong is said with file, line and column, all of it in one run", () => {
  assert.equal(faults('name,group\ncore-1,a b\ncore 2,lab\ncore-3\ncore-4,la"b\ncore-5,x,y\n'), [
    'DP135 fleet/cores.csv:2:8 group name "a b" has a space at column 2 of the name',
    'DP104 fleet/cores.csv:3:1 core name "core 2" has a space at column 5 of the name',
    "DP145 fleet/cores.csv:4:1 1 cells; the first line has 2 columns",
    "DP121 fleet/cores.csv:5:1 a quote is not closed, or text follows upon it",
    "DP145 fleet/cores.csv:6:1 3 cells; the first line has 2 columns",
  ]);
});

test("the first line must name columns that there are, each once, and the name among them", () => {
  assert.equal(faults("name,grup\nx,y\n", `${FROM}[core one]\n`), [
    'DP144 fleet/cores.csv:1:6 unknown column "grup"; did you mean group?',
  ]);
  assert.match(faults("group\nlab\n", `${FROM}[core one]\n`)[0]!, "there is no column name");
  assert.match(faults("name,name\n", `${FROM}[core one]\n`)[0]!, "the column name is there twice");
  assert.match(faults("name;group\n", `${FROM}[core one]\n`)[0]!, "not separated by commas");
  assert.match(faults("", `${FROM}[core one]\n`)[0]!, "unknown column");
});

test("a name in both places, or twice, is an error; also where only case differs", () => {
  assert.equal(faults("name\none\ntwo\ntwo\nTWO\n", `${FROM}[core one]\n`), [
    "DP146 fleet/cores.csv:2:1 [core one] is also at settings.ini:10",
    "DP146 fleet/cores.csv:4:1 [core two] is also at fleet/cores.csv:3",
    "DP136 fleet/cores.csv:5:1 same name as line 3 ignoring case",
  ]);
});

test("no file, a path that leads out, a secret, and bytes that are no UTF-8", () => {
  assert.equal(
    problemsOf(() => settings(`${FROM}[core one]\n`, {})).map(({ code, location }) => [code, location?.line]),
    [["DP143", 9]],
  );
  assert.match(faults("name\n", `${HEAD}[cores]\nfrom = ../x.csv\n[core one]\n`)[0]!, "DP135 settings.ini:9");
  const secret = "name,group\none,AKIAIOSFODNN7EXAMPLE\n";
  assert.match(faults(secret)[0]!, "DP125 fleet/cores.csv:2:5 looks like a secret");
  const bytes = (): SettingsFile =>
    parseSettings(Buffer.from(FROM), "settings.ini", { read: () => Buffer.from([0x6e, 0xff]) });
  assert.equal(
    problemsOf(bytes).map(({ code, location }) => [code, location?.file]),
    [["DP109", "fleet/cores.csv"]],
  );
});

test("50,000 rows are 50,000 cores", () => {
  const rows = Array.from({ length: 50_000 }, (_, index) => `core-${index},g${index % 10},host-${index}`);
  const found = cores(`name,group,host\n${rows.join("\n")}\n`);
  assert.is(found.names("core").length, 50_000);
  assert.is(found.value("core core-49999.host"), "host-49999");
});

test("the settings of an environment count before the others, key by key", () => {
  const overlay = {
    file: "settings.prod.ini",
    bytes: Buffer.from("[aws]\nregion = us-east-1\n[core two]\ngroup = b\n"),
  };
  const found = parseSettings(Buffer.from(`${HEAD}[core one]\ngroup = a\n`), "settings.ini", { overlay });
  assert.is(found.value("aws.region"), "us-east-1");
  assert.is(found.value("aws.account"), "sandbox");
  assert.equal(found.names("core"), ["one", "two"]);
  assert.equal(found.locationOf("aws.region"), { file: "settings.prod.ini", line: 2, column: 1 });
  const wrong = { file: "settings.prod.ini", bytes: Buffer.from("[aws]\nregoin = x\n") };
  const [problem] = problemsOf(() =>
    parseSettings(Buffer.from(`${HEAD}[core one]\n`), "settings.ini", { overlay: wrong }),
  );
  assert.is(problem?.location?.file, "settings.prod.ini");
});

test.run();
