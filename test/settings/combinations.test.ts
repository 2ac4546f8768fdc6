// Settings that are right by themselves and not together, or not for the nucleus.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { LEAST, parsed, problemsOf, refused, withValue } from "./support.ts";

test("versions of components that a core would refuse together are refused here (D1)", () => {
  const components = (lines: string): string => `${LEAST}[components]\n${lines}`;
  refused(
    components("mqtt_broker = 2.3.6\n"),
    "settings.ini:10:15: aws.greengrass.clientdevices.mqtt.Moquette 2.3.6 depends on aws.greengrass.clientdevices.Auth before 2.5.0, and 2.5.2 is deployed with it",
    "mqtt_broker = 2.3.7",
  );
  refused(
    components("client_device_auth = 2.4.5\n"),
    "settings.ini:10:22: client_device_auth 2.4.5 has no wildcards in policies",
  );
  assert.is(parsed(LEAST).value("components.mqtt_broker"), "2.3.7");
});

test("FIPS is refused where AWS IoT has no FIPS endpoints (D7)", () => {
  const fips = (region: string): string =>
    withValue("greengrass", "fips", "true").replace("region = eu-west-1", `region = ${region}`);
  refused(fips("eu-west-1"), "settings.ini:7:8: AWS IoT has no FIPS endpoints in eu-west-1", "fips = false");
  assert.is(parsed(fips("us-east-1")).value("greengrass.fips"), true);
});

test("addresses that go past the proxy are host names and addresses: the nucleus takes them as regular expressions (B4)", () => {
  const value = (list: string) =>
    parsed(withValue("greengrass", "no_proxy", list)).value("greengrass.no_proxy");
  assert.is(value("localhost, 10.0.0.1,::1 ,a-b.example.com"), "localhost,10.0.0.1,::1,a-b.example.com");
  for (const entry of ["*.amazonaws.com", "10.0.0.0/8", "a|b", "(", ".example.com", "[::1]"]) {
    refused(
      withValue("greengrass", "no_proxy", `localhost, ${entry}`),
      `settings.ini:7:12: no_proxy entry "${entry}" is neither a host name nor an address; there are no wildcards and no ranges`,
    );
  }
});

test("a root that setup.sh refuses is refused here (B18)", () => {
  for (const root of ["/var/cache/greengrass", "/var/tmp/greengrass/v2", "/var/run/greengrass"]) {
    refused(
      withValue("greengrass", "root", root),
      `settings.ini:7:8: root "${root}" is in a folder that the system empties; too dangerous: uninstall deletes this folder`,
    );
  }
});

const LITE = `${LEAST.replace("[core ", `[lite]\nsha256 = ${"0".repeat(64)}\n[core `)}runtime = lite\n`;

function refusedFor(text: string, what: string): void {
  const [found] = problemsOf(() => parsed(text));
  assert.match(found?.what ?? "it is taken", what);
  assert.ok(found?.why !== undefined && found.fix !== undefined);
}

test("nucleus lite: what it does not have is refused, and so are client devices on it", () => {
  assert.is(parsed(LITE).value("lite.version"), "2.6.0");
  refusedFor(`${LEAST}runtime = lite\n`, "runtime = lite without sha256 in [lite]");
  const greengrass = (line: string): string => LITE.replace("[greengrass]\n", `[greengrass]\n${line}\n`);
  for (const [line, key] of [
    ["mqtt_port = 443", "mqtt_port"],
    ["jvm_options = -Xmx64m", "jvm_options"],
    ["polling_seconds = 60", "polling_seconds"],
    ["store_max_bytes = 5", "store_max_bytes"],
    ["log_level = DEBUG", "log_level"],
    ["root = /opt/gg", "root"],
  ] as const) {
    refusedFor(greengrass(line), `nucleus lite has no ${key}`);
  }
  const [, core] = /\[core (.+)\]/.exec(LEAST)!;
  refusedFor(`${LITE}[thing t]\ncore = ${core}\n`, "runs nucleus lite, which takes no client devices");
  refusedFor(`${LITE}[core other]\n`, "have one group, and two runtimes");
  assert.is(parsed(`${LITE}[core other]\ngroup = apart\n`).value("core other.runtime"), "classic");
});

test.run();
