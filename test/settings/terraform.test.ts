import { test } from "uvu";
import * as assert from "uvu/assert";
import { LEAST, parsed, refused } from "./support.ts";

const terraform = (...lines: string[]): string => `${LEAST}[terraform]\n${lines.join("\n")}\n`;
const inAccount = (text: string): string => text.replace("account = sandbox", "account = 123456789012");

test("what is not said about Terraform has a default, also without the sections", () => {
  for (const settings of [parsed(LEAST), parsed(`${LEAST}[terraform]\n[sandbox]\n`)]) {
    assert.is(settings.value("sandbox.terraform"), false);
    assert.is(settings.value("terraform.binary"), "terraform");
    assert.is(settings.value("terraform.backend"), "local");
    assert.is(settings.value("terraform.prefix"), "dospesos");
    assert.is(settings.value("terraform.parallelism"), 10);
    assert.is(settings.value("terraform.bucket"), undefined);
  }
});

test("Terraform in the sandbox is on or off", () => {
  assert.is(parsed(`${LEAST}[sandbox]\nterraform = on\n`).value("sandbox.terraform"), true);
  refused(`${LEAST}[sandbox]\nterraform = true\n`, 'settings.ini:10:13: "true" is none of off, on');
});

test("the program is terraform or tofu", () => {
  assert.is(parsed(terraform("binary = tofu")).value("terraform.binary"), "tofu");
  refused(terraform("binary = /tmp/evil"), 'settings.ini:10:10: "/tmp/evil" is none of terraform, tofu');
});

test("a state in S3 needs a bucket", () => {
  assert.is(
    parsed(inAccount(terraform("backend = s3", "bucket = acme-states"))).value("terraform.bucket"),
    "acme-states",
  );
  refused(
    inAccount(terraform("backend = s3")),
    "settings.ini:10:1: backend = s3 without a bucket",
    "bucket = ",
  );
});

test("the sandbox has no S3 of its own: it needs another one", () => {
  refused(
    terraform("backend = s3", "bucket = acme-states"),
    "settings.ini:10:1: the sandbox has no S3",
    "endpoint",
  );
  assert.is(
    parsed(terraform("backend = s3", "bucket = acme-states", "endpoint = http://127.0.0.1:5000")).value(
      "terraform.endpoint",
    ),
    "http://127.0.0.1:5000",
  );
});

test("names of buckets and keys are ones that S3 and a path can take", () => {
  for (const bucket of ["ab", "Acme", "-acme", "acme.states", "x".repeat(64)]) {
    refused(
      terraform(`bucket = ${bucket}`),
      `settings.ini:10:10: bucket "${bucket}" is not 3 to 63 of a-z 0-9 and -, beginning and ending with a letter or digit`,
    );
  }
  for (const prefix of ["/a", "a/", "a//b", "..", "a b"]) {
    refused(
      terraform(`prefix = ${prefix}`),
      `settings.ini:10:10: prefix "${prefix}" may have only A-Z a-z 0-9 _ - between single slashes`,
    );
  }
});

test("another S3 is reached with TLS, and without a password in its address", () => {
  refused(
    terraform("endpoint = http://s3.example.com"),
    'settings.ini:10:12: endpoint "http://s3.example.com" is not https://host:port; http only to 127.0.0.1',
  );
  refused(
    terraform("endpoint = https://me:secret@s3.example.com"),
    "settings.ini:10:12: no passwords in URLs (value hidden)",
  );
});

test("how many resources are changed at the same time is a number", () => {
  assert.is(parsed(terraform("parallelism = 2")).value("terraform.parallelism"), 2);
  refused(terraform("parallelism = 0"), 'settings.ini:10:15: "0" is not a whole number from 1 to 100');
});

test.run();
