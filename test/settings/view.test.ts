import { inspect } from "node:util";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ProblemError } from "../../lib/problem/index.ts";
import { type SettingsFile, type SettingsReader, settingsView } from "../../lib/settings/index.ts";
import { LEAST, parsed } from "./support.ts";

const FILE = parsed(`${LEAST}group = my-group\n[core core-2]\n[thing thing-1]\ncore = core-2\n`);

/** A view, and everything that was read through it. */
function recorded(settings: SettingsFile = FILE) {
  const reads: string[] = [];
  const reader: SettingsReader = {
    pace: () => undefined,
    value(key) {
      reads.push(key);
      return settings.value(key);
    },
    names(kind) {
      reads.push(`names ${kind}`);
      return settings.names(kind);
    },
    forSection(kind, name, body) {
      reads.push(`> ${kind} ${name}`);
      const result = body();
      reads.push(`< ${kind} ${name}`);
      return result;
    },
    isolate(body) {
      const result = body();
      return () => {
        reads.push("take");
        return result;
      };
    },
    locationOf: (key) => settings.locationOf(key),
    file: () => settings.file,
  };
  return { view: settingsView(reader), reads };
}

function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof ProblemError) {
      assert.is(error.exitCode, 2);
      return error.problems[0]?.what ?? "";
    }
    throw error;
  }
  return "nothing was thrown";
}

test("a setting is read when its property is read, and not before", () => {
  const { view, reads } = recorded();
  const { aws, greengrass } = view;
  assert.equal(reads, []);
  assert.is(aws.region, "eu-west-1");
  assert.is(greengrass.mqtt_port, 8883);
  assert.is(greengrass.fips, false);
  assert.is(view.instance.name, "dospesos");
  assert.equal(reads, ["aws.region", "greengrass.mqtt_port", "greengrass.fips", "instance.name"]);
});

test("whether this is the sandbox depends on the account", () => {
  const { view, reads } = recorded();
  assert.is(view.sandbox, true);
  assert.equal(reads, ["aws.account"]);
  assert.is(recorded(parsed(LEAST.replace("sandbox", "123456789012"))).view.sandbox, false);
});

test("mapping over cores reads their names, and runs each body as that core's", () => {
  const { view, reads } = recorded();
  assert.equal(
    view.cores.map((core) => core.name),
    ["core-1", "core-2"],
  );
  assert.equal(reads, ["names core", "> core core-1", "< core core-1", "> core core-2", "< core core-2"]);
});

test("a core's group is read when it is asked for, also later", () => {
  const { view, reads } = recorded();
  const [first] = view.cores.map((core) => core);
  reads.length = 0;
  assert.is(first?.group, "my-group");
  assert.equal(reads, ["core core-1.group"]);
});

test("a core without a group is in the one by the name of the instance", () => {
  assert.equal(
    recorded().view.cores.map((core) => core.group),
    ["my-group", "dospesos"],
  );
});

test("iterating, counting and getting read the names", () => {
  const { view, reads } = recorded();
  const names: string[] = [];
  for (const thing of view.things) {
    names.push(`${thing.name} to ${thing.core}`);
  }
  assert.equal(names, ["thing-1 to core-2"]);
  assert.is(view.cores.length, 2);
  assert.is(view.cores.get("core-2").name, "core-2");
  assert.equal(reads, ["names thing", "thing thing-1.core", "names core", "names core"]);
});

test("what is made by name is taken when it is asked for, one by one or all in the order of the file", () => {
  const { view, reads } = recorded();
  const made = view.cores.mapIsolated((core) => core.group);
  assert.equal(reads, ["names core", "core core-1.group", "core core-2.group"]);
  assert.is(made.get("core-2"), "dospesos");
  assert.equal([...made], ["my-group", "dospesos"]);
  assert.equal(reads.slice(3), ["take", "names core", "take", "take"]);
  assert.is(
    messageOf(() => made.get("core-3")),
    "settings.ini has no [core core-3]; did you mean core-1?",
  );
});

test("getting a core that is not there names the one that was meant", () => {
  assert.is(
    messageOf(() => recorded().view.cores.get("core-3")),
    "settings.ini has no [core core-3]; did you mean core-1?",
  );
});

test("a property that does not exist is an error that names the one that was meant", () => {
  const { view } = recorded();
  assert.is(
    messageOf(() => Reflect.get(view.aws, "regoin")),
    "settings.ini has no [aws] regoin; did you mean region?",
  );
  assert.is(
    messageOf(() => Reflect.get(view, "cors")),
    "settings.ini has no cors; did you mean cores?",
  );
  assert.is(
    messageOf(() => Reflect.get(view.cores.get("core-1"), "grup")),
    "settings.ini has no [core core-1] grup; did you mean group?",
  );
  assert.is(
    messageOf(() => Reflect.get(view.cores, "forEach")),
    "settings.ini has no cores forEach",
  );
});

test("what runtimes ask of any object is no error", async () => {
  const { view } = recorded();
  for (const object of [view, view.aws, view.cores, view.cores.get("core-1")]) {
    for (const name of ["then", "toJSON", "constructor", "inspect", "hasOwnProperty", "toString"]) {
      Reflect.get(object, name);
    }
    assert.is(Reflect.get(object, Symbol.toStringTag), undefined);
    assert.is(await Promise.resolve(object), object);
    assert.ok(inspect(object));
  }
  assert.is(JSON.stringify(view.aws), '{"account":"sandbox","region":"eu-west-1"}');
});

test("nobody can set a setting", () => {
  const { view } = recorded();
  assert.not(Reflect.set(view.aws, "region", "eu-west-2"));
  assert.not(Reflect.set(view.aws, "zone", "a"));
});

test.run();
