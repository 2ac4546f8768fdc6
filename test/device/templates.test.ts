import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { test } from "uvu";
import { parse } from "yaml";
import { tempFolder } from "../support/temp.ts";
import { testWith } from "../support/tools.ts";
import { coreValues, project, rendered, script } from "./templates.ts";

const SCRIPTS = ["setup.sh", "uninstall.sh"] as const;

function scriptFile(name: (typeof SCRIPTS)[number], values = coreValues()): string {
  const file = join(tempFolder("script"), "script.sh");
  writeFileSync(file, script(name, values));
  return file;
}

for (const name of SCRIPTS) {
  testWith(test, ["shellcheck"], `shellcheck has nothing to say about ${name}`, () => {
    const result = spawnSync("shellcheck", [scriptFile(name)], { encoding: "utf8" });
    assert.is(result.stdout + result.stderr, "");
  });

  for (const shell of [["dash"], ["bash", "--posix"], ["busybox", "sh"]]) {
    testWith(test, [shell[0]!], `${name} is correct for ${shell.join(" ")}`, () => {
      const result = spawnSync(shell[0]!, [...shell.slice(1), "-n", scriptFile(name)], {
        encoding: "utf8",
      });
      assert.is(result.stderr, "");
      assert.is(result.status, 0);
    });
  }

  test(`${name} does nothing when it is cut anywhere before its last line`, () => {
    const text = script(name, coreValues());
    assert.ok(text.endsWith('\nmain "$@"\n'));
    const body = text.slice(0, -'main "$@"\n'.length);
    // A shell that gets this much finds functions and assignments, or an error of syntax.
    const ends = [...body.matchAll(/\n/g)]
      .map((match) => match.index + 1)
      .filter((_, line) => line % 12 === 0);
    const cuts = ends.map((end) => body.slice(0, end));
    for (const cut of [...cuts, body]) {
      const result = spawnSync("sh", ["-s", "--", "--check"], {
        input: cut,
        encoding: "utf8",
        cwd: tempFolder("cut"),
      });
      assert.is(result.stdout, "", cut.slice(-200));
    }
  });

  test(`${name} reports its usage, and refuses an option that it does not know with exit code 2`, () => {
    const file = scriptFile(name);
    assert.match(spawnSync("sh", [file, "--help"], { encoding: "utf8" }).stdout, /usage: sudo sh/);
    const wrong = spawnSync("sh", [file, "--frobnicate"], { encoding: "utf8" });
    assert.is(wrong.status, 2);
    assert.match(wrong.stderr, /unknown option --frobnicate/);
  });

  test(`${name} says SANDBOX in its first line exactly when the bundle is of the sandbox`, () => {
    const first = (sandbox: boolean): string => {
      const file = scriptFile(name, coreValues({ sandbox }));
      return spawnSync("sh", [file, "--frobnicate"], { encoding: "utf8" }).stdout.split("\n")[0]!;
    };
    assert.match(first(true), /^SANDBOX: /);
    assert.not.match(first(false), /SANDBOX/);
  });
}

test("a hostile value is data in setup.sh: it comes out as it went in, and nothing runs", () => {
  const folder = tempFolder("hostile");
  const canary = join(folder, "canary");
  const touch = `touch ${canary}`;
  const attempts = [`$(${touch})`, `\`${touch}\``, `'; ${touch}; '`, `" && ${touch}`, `x\ny; ${touch}`];
  for (const hostile of [...attempts, "a b'c\"d\\e", "{{ 7*7 }}", "%s%n", "é ☃", "-n"]) {
    const values = coreValues({ greengrass: { root: hostile, jvm_options: hostile, posix_user: hostile } });
    const text = script("setup.sh", values);
    const printing = text.replace('main "$@"', 'printf \'%s\\n\' "$ROOT" "$JVM_OPTIONS" "$POSIX_USER"');
    const seen = spawnSync("sh", [], { input: printing, encoding: "utf8" });
    assert.is(seen.stdout, `${hostile}\n${hostile}\n${hostile}\n`);
    spawnSync("sh", ["-s", "--", "--check"], { input: text, cwd: folder, encoding: "utf8" });
    assert.not.ok(existsSync(canary), hostile);
  }
});

/** Every key that the nucleus is given, as paths. */
const NUCLEUS = "services.aws.greengrass.Nucleus";
const KEYS = [
  "system.certificateFilePath",
  "system.privateKeyPath",
  "system.rootCaPath",
  "system.rootpath",
  "system.ipcSocketPath",
  "system.thingName",
  `${NUCLEUS}.componentType`,
  `${NUCLEUS}.version`,
  ...[
    "awsRegion",
    "iotRoleAlias",
    "iotDataEndpoint",
    "iotCredEndpoint",
    "greengrassDataPlaneEndpoint",
    "greengrassDataPlanePort",
    "mqtt.port",
    "jvmOptions",
    "runWithDefault.posixUser",
    "networkProxy.noProxyAddresses",
    "networkProxy.proxy.url",
    "networkProxy.proxy.username",
    "networkProxy.proxy.password",
    "deploymentPollingFrequencySeconds",
    "componentStoreMaxSizeBytes",
    "logging.level",
    "logging.format",
    "logging.outputType",
    "logging.outputDirectory",
    "logging.fileSizeKB",
    "logging.totalLogsSizeKB",
    "fipsMode",
  ].map((key) => `${NUCLEUS}.configuration.${key}`),
];

function leaves(value: unknown, path = ""): [string, unknown][] {
  if (value === null || typeof value !== "object") {
    return [[path, value]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

const HOSTILE_CONFIG = coreValues({
  greengrass: {
    jvm_options: "-Xmx64m -Dx=\"a b\" 'c' # no comment $(touch x) {{ 7*7 }}",
    proxy_url: "http://proxy:3128/?a=: &x *y",
    no_proxy: "a,b: c,!!int 1",
  },
});

for (const [what, values] of [
  ["shipped", coreValues()],
  ["hostile", HOSTILE_CONFIG],
] as const) {
  for (const version of ["1.1", "1.2"] as const) {
    test(`config.yaml with ${what} values has every key and its value in YAML ${version}`, () => {
      const found = leaves(parse(rendered("core/config.yaml.njk", values), { version }));
      assert.equal(found.map(([key]) => key).sort(), [...KEYS].sort());
      const config = new Map(found);
      assert.is(config.get("system.privateKeyPath"), "/greengrass/v2/private.pem.key");
      assert.is(config.get(`${NUCLEUS}.version`), "2.16.0");
      assert.is(config.get(`${NUCLEUS}.configuration.mqtt.port`), 8883);
      assert.is(config.get(`${NUCLEUS}.configuration.componentStoreMaxSizeBytes`), 10_000_000_000);
      assert.is(config.get(`${NUCLEUS}.configuration.jvmOptions`), values.greengrass["jvm_options"]);
      assert.is(
        config.get(`${NUCLEUS}.configuration.networkProxy.proxy.url`),
        values.greengrass["proxy_url"],
      );
      assert.is(
        config.get(`${NUCLEUS}.configuration.networkProxy.noProxyAddresses`),
        values.greengrass["no_proxy"],
      );
    });
  }
}

const pythonYaml =
  spawnSync("python3", ["-c", "import yaml"]).status === 0 ? ["python3"] : ["python3 with PyYAML"];
testWith(test, pythonYaml, "PyYAML reads from config.yaml what the package yaml reads", () => {
  const text = rendered("core/config.yaml.njk", HOSTILE_CONFIG);
  const program = "import json,sys,yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";
  const read = spawnSync("python3", ["-c", program], { input: text, encoding: "utf8" });
  assert.equal(JSON.parse(read.stdout), parse(text));
});

test("config.yaml begins with a comment that says SANDBOX exactly when it is of the sandbox", () => {
  assert.match(rendered("core/config.yaml.njk", coreValues({ sandbox: true })), /^# SANDBOX: /);
  assert.match(rendered("core/config.yaml.njk", coreValues()), /^# Made by DosPesos; /);
});

test("the read-me files name their device and say SANDBOX first when they are of the sandbox", () => {
  assert.match(rendered("core/README.txt.njk", coreValues()), /sudo sh core-1\/setup\.sh --check/);
  assert.match(rendered("core/README.txt.njk", coreValues({ sandbox: true })), /^SANDBOX: /);
  assert.match(rendered("core/README.txt.njk", coreValues()), /private\.pem\.key is the device's identity/);
  assert.not.match(rendered("core/README.txt.njk", coreValues({ keyOnDevice: true })), /private\.pem\.key/);
  const thing = { sandbox: false, thing: { name: "thing-1", core: "core-1" } };
  assert.match(rendered("thing/README.txt.njk", thing), /^Client thing thing-1 of the core device core-1/);
  assert.match(rendered("thing/README.txt.njk", { ...thing, sandbox: true }), /^SANDBOX: /);
});

test("what both scripts need of account tools is the same in both: each stands alone on the device", () => {
  const part = (name: string): string | undefined =>
    /^# Runs a tool that changes \/etc\/passwd[^]*?^account_tool\(\) \{[^]*?^\}$/m.exec(
      readFileSync(join(project, "edge/installer", name), "utf8"),
    )?.[0];
  assert.ok(part("setup.sh") !== undefined);
  assert.is(part("uninstall.sh"), part("setup.sh"));
});

test.run();
