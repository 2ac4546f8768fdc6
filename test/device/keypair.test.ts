import { createPrivateKey, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  certificateBelongsTo,
  createCsr,
  createKey,
  csrBelongsTo,
  loadX509,
  signingPair,
} from "../../lib/pki/keypair.ts";
import { execaSync } from "execa";
import { tempFolder } from "../support/temp.ts";
import { testWith } from "../support/tools.ts";

test("a key is a P-256 key in PKCS#8", () => {
  const pem = createKey();
  assert.match(pem, /^-----BEGIN PRIVATE KEY-----\n/);
  assert.is(createPrivateKey(pem).asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.is.not(createKey(), pem);
});

test("a request names the thing as its subject and belongs to its own key only", async () => {
  const key = createKey();
  const csr = await createCsr(key, "core-1");
  const { Pkcs10CertificateRequest } = await loadX509();
  assert.is(new Pkcs10CertificateRequest(csr).subject, "CN=core-1");
  assert.is(await csrBelongsTo(csr, key), true);
  assert.is(await csrBelongsTo(csr, createKey()), false);
});

test("a name full of separators stays one common name", async () => {
  const { Pkcs10CertificateRequest } = await loadX509();
  const name = 'a,O=b+C="c"#\\';
  const csr = new Pkcs10CertificateRequest(await createCsr(createKey(), name));
  assert.equal(csr.subjectName.toJSON(), [{ CN: [name] }]);
});

test("a request whose signature was tampered with belongs to nobody", async () => {
  const key = createKey();
  const der = Buffer.from((await createCsr(key, "core-1")).replace(/-----.*-----/g, ""), "base64");
  der[der.length - 1]! ^= 1;
  const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.is(await csrBelongsTo(csr, key), false);
  assert.is(await csrBelongsTo("no request", key), false);
});

test("a certificate belongs to the key that it was issued for", async () => {
  const key = createKey();
  const { X509CertificateGenerator } = await loadX509();
  const pair = await signingPair(key);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=test",
    keys: pair,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  const pem = certificate.toString("pem");
  assert.is(new X509Certificate(pem).subject, "CN=test");
  assert.is(certificateBelongsTo(pem, key), true);
  assert.is(certificateBelongsTo(pem, createKey()), false);
  assert.is(certificateBelongsTo("no certificate", key), false);
});

testWith(test, ["openssl"], "openssl reads and verifies the request", async () => {
  const file = join(tempFolder("csr"), "core-1.csr");
  writeFileSync(file, await createCsr(createKey(), "core-1"));
  const run = execaSync("openssl", ["req", "-in", file, "-verify", "-noout", "-subject"], { all: true });
  assert.match(run.all, /verify OK/i);
  assert.match(run.all, /CN ?= ?core-1/);
});

test.run();
