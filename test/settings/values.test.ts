import { test } from "uvu";
import * as assert from "uvu/assert";
import { REGIONS } from "../../lib/settings/regions.ts";
import { LEAST, parsed, problemsOf, refused, withValue } from "./support.ts";

const core = (name: string, what: string) =>
  refused(`${LEAST}[core ${name}]\n`, `settings.ini:9:7: ${what}`, "A-Z a-z 0-9 _ -");

test("a name of 64 characters is taken, a longer one refused", () => {
  assert.is(parsed(`${LEAST}[core ${"x".repeat(64)}]\n`).names("core").length, 2);
  core("x".repeat(65), `core name "${"x".repeat(65)}" has 65 characters; limit 64 (IoT policy size limit)`);
  core(
    "x".repeat(129),
    `core name "${"x".repeat(120)}…" has 129 characters; limit 64 (IoT policy size limit)`,
  );
});

test("an empty name is refused", () => {
  refused(`${LEAST}[core]\n`, "settings.ini:9:6: core name is empty");
  refused(`${LEAST}[thing  ]\ncore = core-1\n`, "settings.ini:9:9: thing name is empty");
  refused(withValue("instance", "name", ""), "settings.ini:5:6: instance name is empty", "name = dospesos");
  refused(withValue("instance", "name", '"  "'), "settings.ini:5:8: instance name is empty");
});

test("a blank in a name is refused", () => {
  core("my core", 'core name "my core" has a space at column 3 of the name');
  core("my\tcore", 'core name "my\\u0009core" has a tab at column 3 of the name');
});

test("a name cannot leave its folder", () => {
  core("../x", "core name \"../x\": '/' not allowed");
  core("a/../../b", "core name \"a/../../b\": '/' not allowed");
  core("/etc/x", "core name \"/etc/x\": '/' not allowed");
  core("a\\b", "core name \"a\\b\": '\\' not allowed");
});

test("a name cannot be hidden, an option, or the folder itself", () => {
  core(".", "core name \".\" starts with '.'");
  core("..", "core name \"..\" starts with '.'");
  core(".git", "core name \".git\" starts with '.'");
  core(".dospesos", "core name \".dospesos\" starts with '.'");
  core("-rf", "core name \"-rf\" starts with '-'");
  core("_x", "core name \"_x\" starts with '_'");
});

test("a colon, which AWS would take, is refused", () => {
  core("core:1", "core name \"core:1\": ':' breaks scp paths, policy names and Windows files");
});

test("letters beyond ASCII are named by their code points", () => {
  core("caf\u00e9", "core name \"café\" has 'é': U+00E9; ASCII only");
  core("c\u043ere", "core name \"c\u043ere\" has '\u043e': U+043E looks like 'o'; ASCII only");
  core("\u0430", "core name \"\u0430\" has '\u0430': U+0430 looks like 'a'; ASCII only");
  core("x🙂", "core name \"x🙂\" has '🙂': U+1F642; ASCII only");
});

test("hidden characters in a name are named by their code points", () => {
  core("core\u202e1", 'core name "core\\u202e1" has U+202E (right-to-left override)');
  core("core\u200b1", 'core name "core\\u200b1" has U+200B (zero width space)');
  core("core\ufeff1", 'core name "core\\ufeff1" has U+FEFF (byte order mark)');
  refused(
    withValue("instance", "name", "a\u202eb"),
    'settings.ini:5:8: instance name "a\\u202eb" has U+202E (right-to-left override)',
  );
});

test("cores and things need names that differ by more than case", () => {
  refused(`${LEAST}[core CORE-1]\n`, "settings.ini:9:7: same name as line 8 ignoring case");
  refused(`${LEAST}[thing core-1]\ncore = core-1\n`, "settings.ini:9:8: same name as line 8 ignoring case");
  refused(`${LEAST}[thing Core-1]\ncore = core-1\n`, "settings.ini:9:8: same name as line 8 ignoring case");
});

test("wildcards of IoT policies and topics are refused in names", () => {
  for (const char of "*?+#$") {
    core(`a${char}b`, `core name "a${char}b": '${char}' is a wildcard in IoT policies or topics`);
  }
});

test("other characters are refused in names", () => {
  core("a%b", "core name \"a%b\": '%' not allowed");
  core("a.b", "core name \"a.b\": '.' not allowed");
});

test("names that belong to folders of this project, or to Windows, are refused", () => {
  core("things", 'core name "things" is a reserved name');
  core("Things", 'core name "Things" is a reserved name');
  core("core-1-gci", 'core name "core-1-gci" ends in -gci, which Greengrass uses for a thing of its own');
  core("nul", 'core name "nul" is a reserved name on Windows');
  assert.equal(parsed(`${LEAST}[thing things]\ncore = core-1\n`).names("thing"), ["things"]);
});

test("a group has the name rule too, and is the instance's name by default", () => {
  refused(
    `${LEAST}group = a/b\n`,
    "settings.ini:9:9: group name \"a/b\": '/' not allowed",
    "group = my-group",
  );
  assert.is(parsed(LEAST).value("core core-1.group"), "dospesos");
  assert.is(parsed(`${LEAST}group = g\n`).value("core core-1.group"), "g");
});

test("a thing needs a core that is there", () => {
  refused(
    `${LEAST}[thing t]\ncore = cor-1\n`,
    "settings.ini:10:8: no [core cor-1]; did you mean core-1?",
    "add [core cor-1]",
  );
  refused(`${LEAST}[thing t]\ncore = Core-1\n`, "settings.ini:10:8: no [core Core-1]; did you mean core-1?");
});

test("an unknown region names the one that was meant", () => {
  refused(
    withValue("aws", "region", "us-esat-1"),
    'settings.ini:3:10: unknown region "us-esat-1"; did you mean us-east-1?',
    "us-east-1",
  );
  refused(
    withValue("aws", "region", "US-EAST-1"),
    'settings.ini:3:10: unknown region "US-EAST-1"; did you mean us-east-1?',
  );
  refused(withValue("aws", "region", "mars"), 'settings.ini:3:10: unknown region "mars"');
});

test("a region of another partition is refused, and the partition named", () => {
  refused(
    withValue("aws", "region", "cn-north-1"),
    'settings.ini:3:10: region "cn-north-1" is in partition aws-cn; only partition aws is supported',
  );
  refused(
    withValue("aws", "region", "us-gov-west-1"),
    'settings.ini:3:10: region "us-gov-west-1" is in partition aws-us-gov; only partition aws is supported',
  );
});

test("a region without Greengrass is refused", () => {
  refused(
    withValue("aws", "region", "eu-west-3"),
    'settings.ini:3:10: region "eu-west-3" has no AWS IoT Greengrass V2',
    "eu-west-2",
  );
});

test("every region with Greengrass is taken", () => {
  for (const region of REGIONS) {
    assert.is(parsed(withValue("aws", "region", region)).value("aws.region"), region);
  }
});

test("an account is sandbox or 12 digits, and keeps its leading zero", () => {
  assert.is(parsed(withValue("aws", "account", "012345678901")).value("aws.account"), "012345678901");
  refused(
    withValue("aws", "account", "12345678901"),
    'settings.ini:2:11: account "12345678901" has 11 digits, need 12',
    "012345678901",
  );
  refused(
    withValue("aws", "account", "1234-5678-9012"),
    'settings.ini:2:11: account "1234-5678-9012" has more than digits in it; write the 12 digits alone',
  );
  refused(
    withValue("aws", "account", "Sandbox"),
    'settings.ini:2:11: account "Sandbox" is neither "sandbox" nor 12 digits; did you mean sandbox?',
  );
});

test("a Greengrass root whose removal would harm the system is refused", () => {
  const dangerous: Readonly<Record<string, string>> = {
    "/": "has less than two levels",
    "/greengrass": "has less than two levels",
    "/etc": "has less than two levels",
    "/etc/greengrass": "is in the system folder /etc",
    "~": "is not an absolute path",
    "~/greengrass": "is not an absolute path",
    "greengrass/v2": "is not an absolute path",
    "/opt/../etc": "has '.' or '..' in it",
    "/opt/./gg": "has '.' or '..' in it",
    "/var/lib": "is a folder that /var shares out; take one below",
    "/home/me": "is a folder that /home shares out; take one below",
  };
  for (const [root, reason] of Object.entries(dangerous)) {
    refused(
      withValue("greengrass", "root", root),
      `settings.ini:7:8: root "${root}" ${reason}; too dangerous: uninstall deletes this folder`,
      "/greengrass/v2",
    );
  }
});

test("a Greengrass root must be a plain path", () => {
  for (const root of ["/opt/a b", "/opt/$(reboot)", "/opt/a'b", "/opt//gg", "/greengrass/v2/", "/opt/-gg"]) {
    refused(
      withValue("greengrass", "root", root),
      `settings.ini:7:8: root "${root}" may have only A-Z a-z 0-9 . _ - between single slashes`,
    );
  }
  for (const root of ["/greengrass/v2", "/opt/greengrass", "/var/lib/greengrass", "/srv/gg_1.x"]) {
    assert.is(parsed(withValue("greengrass", "root", root)).value("greengrass.root"), root);
  }
});

test("a version must be pinned, and signed by AWS", () => {
  for (const version of [
    "latest",
    "2.9.4",
    "../2",
    "2",
    "1.11.6",
    "2.16",
    "v2.16.0",
    "02.16.0",
    "2.16.0-rc1",
    "\u0662.9.5",
  ]) {
    refused(
      withValue("greengrass", "version", version),
      `settings.ini:7:11: version "${version}": pin a version ≥ 2.9.5 (signed)`,
      "2.16.0",
    );
  }
  for (const version of ["2.9.5", "2.9.10", "2.10.0", "2.16.0", "3.0.0"]) {
    const digest = version === "2.16.0" ? "" : `\nsha256 = ${"0".repeat(64)}`;
    assert.is(
      parsed(withValue("greengrass", "version", `${version}${digest}`)).value("greengrass.version"),
      version,
    );
  }
});

test("a nucleus must be one whose digest is known, or its digest must be given", () => {
  refused(
    withValue("greengrass", "version", "2.17.0"),
    'settings.ini:7:1: the sha256 of nucleus "2.17.0" is not known',
    "sha256 = <output of sha256sum>",
  );
  refused(
    withValue("greengrass", "version", `2.16.0\nsha256 = ${"0".repeat(64)}`),
    'settings.ini:8:1: sha256 is not that of nucleus "2.16.0"',
    "remove sha256",
  );
});

test("a proxy URL has no password, which is never shown", () => {
  for (const url of ["http://user:hunter2@proxy:3128", "hunter2@proxy", "https://hunter2@[::1]"]) {
    refused(
      withValue("greengrass", "proxy_url", url),
      "settings.ini:7:13: no passwords in URLs (value hidden)",
    );
  }
});

test("a proxy URL is http, https or socks5 with a host", () => {
  for (const url of [
    "ftp://proxy",
    "proxy:3128",
    "http://",
    "http://proxy/path",
    "http://proxy:99999",
    "http://$(id)",
  ]) {
    refused(
      withValue("greengrass", "proxy_url", url),
      `settings.ini:7:13: proxy "${url}" is not http, https or socks5://host:port`,
      "https://",
    );
  }
  for (const url of [
    "",
    "http://proxy:3128",
    "https://proxy.example.com",
    "socks5://10.0.0.1:1080",
    "http://[::1]:8080/",
  ]) {
    assert.is(parsed(withValue("greengrass", "proxy_url", url)).value("greengrass.proxy_url"), url);
  }
});

test("what looks like a secret is refused and never shown", () => {
  const secrets = [
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE9+a",
    "-----BEGIN EC PRIVATE KEY-----",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
  ];
  for (const secret of secrets) {
    for (const text of [`${LEAST}group = ${secret}\n`, `${LEAST}group = "${secret}"\n`]) {
      const problems = problemsOf(() => parsed(text));
      assert.equal(
        problems.map((one) => one.what),
        ["looks like a secret; not stored here (value hidden)"],
      );
      assert.not.match(JSON.stringify(problems), secret.slice(-10));
    }
  }
  refused(
    `${LEAST}; AKIAIOSFODNN7EXAMPLE\n`,
    "settings.ini:9:3: looks like a secret; not stored here (value hidden)",
  );
  refused(
    `${LEAST}[core AKIAIOSFODNN7EXAMPLE]\ngroup = a/b\n`,
    "settings.ini:9:7: looks like a secret; not stored here (value hidden)",
  );
  refused(
    `${LEAST}group = "\\u0041KIAIOSFODNN7EXAMPLE"\n`,
    "settings.ini:9:9: looks like a secret; not stored here (value hidden)",
  );
});

test("no line of a pasted private key is shown", () => {
  const body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ==\n";
  const pem = `-----BEGIN PRIVATE KEY-----\n${body}-----END PRIVATE KEY-----\n`;
  refused(`${LEAST}group = ${pem}`, "settings.ini:9:9: looks like a secret; not stored here (value hidden)");
  refused(
    `${LEAST}${pem}[thing t]\ncore = x\n`,
    [
      "settings.ini:9:1: looks like a secret; not stored here (value hidden)",
      "settings.ini:14:8: no [core x]",
    ].join("\n"),
  );
});

test("the value of a key whose name sounds secret is never shown", () => {
  const lines = [
    "password = hunter2",
    "passwd: hunter2",
    "secret hunter2 = x",
    'api_key = "hunter2',
    "token=hunter2",
    "pw = hunter2",
  ];
  for (const line of lines) {
    const problems = problemsOf(() => parsed(`${LEAST}${line}\n`));
    assert.is(problems.length, 1);
    assert.not.match(JSON.stringify(problems), "hunter2");
  }
  refused(`${LEAST}password = hunter2\n`, 'settings.ini:9:1: unknown key "password"', "remove the line");
});

test("numbers and booleans come out typed", () => {
  const settings = parsed(
    LEAST.replace("2.16.0", "2.17.0")
      .replace("eu-west-1", "us-east-1")
      .replace(
        "[core core-1]",
        [
          "mqtt_port = 443",
          "data_plane_port = 443",
          "polling_seconds = 60",
          "store_max_bytes = 5000000000",
          "fips = true",
          `sha256 = ${"Ab".repeat(32)}`,
          "[core core-1]",
        ].join("\n"),
      ),
  );
  assert.is(settings.value("greengrass.mqtt_port"), 443);
  assert.is(settings.value("greengrass.data_plane_port"), 443);
  assert.is(settings.value("greengrass.polling_seconds"), 60);
  assert.is(settings.value("greengrass.store_max_bytes"), 5_000_000_000);
  assert.is(settings.value("greengrass.fips"), true);
  assert.is(settings.value("greengrass.sha256"), "ab".repeat(32));
});

test("what is not set has its default, and the place of its section", () => {
  const settings = parsed(LEAST);
  const defaults = {
    root: "/greengrass/v2",
    posix_user: "ggc_user:ggc_group",
    jvm_options: "",
    mqtt_port: 8883,
    data_plane_port: 8443,
    proxy_url: "",
    no_proxy: "",
    log_level: "INFO",
    polling_seconds: 15,
    store_max_bytes: 10_000_000_000,
    fips: false,
    sha256: undefined,
    nucleus: "none",
  };
  for (const [key, value] of Object.entries(defaults)) {
    assert.is(settings.value(`greengrass.${key}`), value);
    assert.equal(settings.locationOf(`greengrass.${key}`), { file: "settings.ini", line: 6, column: 1 });
  }
  assert.equal(settings.locationOf("greengrass.version"), { file: "settings.ini", line: 7, column: 1 });
  assert.is(settings.locationOf("greengrass.vresion"), undefined);
  assert.is(settings.value("greengrass.vresion"), undefined);
});

test("each key of [greengrass] refuses what the nucleus would not take", () => {
  const wrong: readonly (readonly [string, string, string])[] = [
    ["sha256", "abc", "sha256 is not 64 hexadecimal digits"],
    ["posix_user", "root", 'user "root": components must not run as root'],
    ["posix_user", "ggc_user:root", 'user "ggc_user:root": components must not run as root'],
    ["posix_user", "a b", 'user "a b" is not user or user:group'],
    ["posix_user", "a:b:c", 'user "a:b:c" is not user or user:group'],
    [
      "jvm_options",
      "-Xmx64m $(reboot)",
      'JVM option "$(reboot)" is not a - with letters, digits and . _ : = , / + @ % -',
    ],
    [
      "jvm_options",
      "-Da='b'",
      "JVM option \"-Da='b'\" is not a - with letters, digits and . _ : = , / + @ % -",
    ],
    ["mqtt_port", "1883", '"1883" is none of 8883, 443; did you mean 8883?'],
    ["data_plane_port", "80", '"80" is none of 8443, 443'],
    ["log_level", "info", '"info" is none of DEBUG, INFO, WARN, ERROR; did you mean INFO?'],
    ["polling_seconds", "0", '"0" is not a whole number from 1 to 86,400'],
    ["polling_seconds", "1e3", '"1e3" is not a whole number from 1 to 86,400'],
    ["store_max_bytes", "10GB", '"10GB" is not a whole number from 1 to 9,007,199,254,740,991'],
    ["fips", "yes", '"yes" is none of true, false'],
    [
      "nucleus",
      "downlaod",
      '"downlaod" is neither none nor download; did you mean download?; a folder has a / in it, e.g. ./downlaod',
    ],
    [
      "nucleus",
      "http://mirror.example.com/",
      '"http://mirror.example.com/" is not https://host/folder; http only to 127.0.0.1',
    ],
    ["nucleus", "https://me:pw@mirror.example.com/", "no passwords in URLs (value hidden)"],
  ];
  for (const [key, value, what] of wrong) {
    refused(withValue("greengrass", key, value), `settings.ini:7:${key.length + 4}: ${what}`);
  }
  for (const host of ["-oProxyCommand=id", "a b", "pi@", "$(id)", "a;b", "ssh://pi@h", "-l"]) {
    refused(
      withValue("core core-1", "host", host),
      `settings.ini:9:8: host ${JSON.stringify(host)} is not [user@]host or an alias of your ssh configuration`,
    );
  }
  for (const host of ["core-1", "pi@core-1.local", "root@192.168.1.7", "pi@fe80::1", "::1", "fe80::1%eth0"]) {
    parsed(withValue("core core-1", "host", host));
  }
  for (const host of ["h:22", "pi@core-1.local:2222", "192.168.1.7:22"]) {
    refused(
      withValue("core core-1", "host", host),
      `settings.ini:9:8: host "${host}" has a port, which ssh takes from your ssh configuration (Port, in ~/.ssh/config)`,
    );
  }
  for (const options of ["", "-Xmx128m", "-Xmx128m -XX:+UseSerialGC  -Dlog.level=INFO"]) {
    assert.is(
      parsed(withValue("greengrass", "jvm_options", options)).value("greengrass.jvm_options"),
      options,
    );
  }
});

test.run();
