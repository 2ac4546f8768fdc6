import { execFileSync, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { checkNucleus } from "../../lib/device/check-nucleus.ts";
import { verifyJar } from "../../lib/device/jar-signature.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { BIN, PLAIN, Started, type Ended } from "../support/bin.ts";
import { edit, shippedProject, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith } from "../support/tools.ts";
import { nucleusFiles, plainZip, Signing, SIGNING_TOOLS } from "./signed-zip.ts";
import { zip } from "./zip.ts";

const test = suite("the nucleus zip");

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

interface Signed {
  signing: Signing;
  ca: string;
  good: Buffer;
}

let made: Promise<Signed> | undefined;
/** One signed nucleus zip for all tests, and who signed it. */
function signed(): Promise<Signed> {
  return (made ??= (async () => {
    const signing = new Signing();
    const ca = signing.authority("authority");
    signing.signer("amazon", "authority");
    return { signing, ca, good: await signing.sign(plainZip(), "amazon") };
  })());
}

async function refusal(
  bytes: Uint8Array,
  signers: string | undefined,
  sha256 = sha256Of(bytes),
): Promise<string> {
  try {
    await checkNucleus(bytes, { file: "n.zip", version: "2.16.0", sha256, signers });
  } catch (error) {
    assert.instance(error, ProblemError);
    assert.is((error as ProblemError).exitCode, 1);
    return (error as Error).message;
  }
  return "";
}

testWith(
  test,
  SIGNING_TOOLS,
  "a zip that is signed by somebody who is trusted, of the right version and digest, is taken",
  async () => {
    const { ca, good, signing } = await signed();
    assert.is(await refusal(good, ca), "");
    signing.signer("curve", "authority", { key: "EC" });
    assert.is(await refusal(await signing.sign(plainZip(), "curve"), ca), "");
  },
);

testWith(
  test,
  SIGNING_TOOLS,
  "unsigned, self-signed or signed by a stranger in Amazon's name: refused, and told who it was",
  async () => {
    const { ca, good, signing } = await signed();
    assert.match(await refusal(plainZip(), ca), /^n\.zip: error DP606: the zip is not signed\n/);
    signing.signer("self");
    const selfSigned = await signing.sign(plainZip(), "self");
    assert.match(
      await refusal(selfSigned, ca),
      /signed by CN=Amazon Web Services.* whom nobody vouches for \(SHA-256 [0-9A-F:]{95}\)/,
    );
    assert.match(await refusal(selfSigned, undefined), /whom nobody vouches for/);
    assert.match(
      await refusal(good, undefined),
      /whom nobody vouches for/,
      "a CA that calls itself as it likes is none that Node trusts",
    );
    signing.authority("other");
    signing.signer("stranger", "other");
    assert.match(await refusal(await signing.sign(plainZip(), "stranger"), ca), /whom nobody vouches for/);
  },
);

testWith(
  test,
  SIGNING_TOOLS,
  "a certificate that is not for code signing, or was not valid any more, does not count",
  async () => {
    const { ca, good, signing } = await signed();
    signing.signer("server", "authority", { usage: "serverAuth" });
    assert.match(await refusal(await signing.sign(plainZip(), "server"), ca), /not for code signing/);
    const later = new Date(Date.now() + 60 * 86_400_000);
    const anchors = [new X509Certificate(ca)];
    await assertRejects(verifyJar(good, anchors, anchors, later), /was not valid at/);
  },
);

testWith(
  test,
  [...SIGNING_TOOLS, "openssl"],
  "a signature with a trusted timestamp counts after its certificate has ended",
  async () => {
    const { ca, signing } = await signed();
    const authority = timestampAuthority();
    const server = await listening(authority.answer);
    try {
      const stamped = await signing.sign(plainZip(), "amazon", "-tsa", `http://127.0.0.1:${portOf(server)}/`);
      const later = new Date(Date.now() + 60 * 86_400_000);
      const [anchors, timeAnchors] = [
        [new X509Certificate(ca)],
        [new X509Certificate(authority.certificate)],
      ];
      await verifyJar(stamped, anchors, timeAnchors, later);
      await assertRejects(verifyJar(stamped, anchors, [], later), /nobody vouches for/);
    } finally {
      server.close();
    }
  },
);

testWith(
  test,
  [...SIGNING_TOOLS, "zip"],
  "a signed zip in which a file is changed, added, or taken away is refused",
  async () => {
    const { ca, good, signing } = await signed();
    const changed = (...words: string[]): Buffer => {
      const file = join(tempFolder("changed"), "n.zip");
      writeFileSync(file, good);
      mkdirSync(join(signing.folder, "lib"), { recursive: true });
      writeFileSync(join(signing.folder, "lib/Greengrass.jar"), "something else");
      execFileSync(
        "zip",
        ["-q", ...(words[0] === "-d" ? ["-d", file, ...words.slice(1)] : [file, ...words])],
        { cwd: signing.folder },
      );
      return readFileSync(file);
    };
    assert.match(
      await refusal(changed("lib/Greengrass.jar"), ca),
      /holds another lib\/Greengrass\.jar than was signed/,
    );
    writeFileSync(join(signing.folder, "extra"), "x");
    assert.match(await refusal(changed("extra"), ca), /holds extra, which is not signed/);
    assert.match(await refusal(changed("-d", "bin/loader"), ca), /lacks bin\/loader, which was signed/);
    assert.match(await refusal(changed("-d", "META-INF/AMAZON.RSA"), ca), /signature that is not whole/);
    assert.match(await refusal(changed("-d", "META-INF/AMAZON.SF"), ca), /is not signed/);
  },
);

testWith(
  test,
  SIGNING_TOOLS,
  "one bit changed anywhere, or cut at every 1,000th byte: refused by digest, and never taken for signed",
  async () => {
    const { ca, good } = await signed();
    const sha256 = sha256Of(good);
    let cuts = 0;
    for (let length = 0; length < good.length; length += 1000, cuts++) {
      const told = await refusal(good.subarray(0, length), ca, sha256);
      assert.match(told, /DP605: the zip has sha256/);
      assert.match(told, /DP606: the zip cannot be read/);
    }
    assert.ok(cuts > 20, `${cuts} cuts`);
    for (let at = 0; at < good.length; at += 991) {
      const flipped = Buffer.from(good);
      flipped[at]! ^= 4;
      assert.match(await refusal(flipped, ca, sha256), /DP605/);
    }
  },
);

testWith(test, SIGNING_TOOLS, "the zip of another version is refused, whatever it is called", async () => {
  const { ca, signing } = await signed();
  const other = await signing.sign(plainZip("2.15.0"), "amazon");
  assert.match(
    await refusal(other, ca),
    /^n\.zip: error DP607: the zip holds nucleus "2\.15\.0", not 2\.16\.0\n.*\n {2}fix: .*set version = 2\.15\.0/,
  );
  const { "conf/recipe.yaml": _, ...rest } = nucleusFiles();
  assert.match(await refusal(await signing.sign(zip(rest), "amazon"), ca), /holds nucleus "none"/);
});

test("all that is wrong with a zip is told at once", async () => {
  const told = await refusal(plainZip("2.15.0"), undefined, "a".repeat(64));
  assert.equal(told.match(/DP\d+/g), ["DP605", "DP606", "DP607"]);
});

// ---- by the program

interface Served {
  server: Server;
  /** The Range header of each request, or "all". */
  asked: string[];
}

/** Serves a zip; the first `breaks` answers break off after a third of what was asked for. */
async function serving(bytes: Uint8Array, breaks = 0): Promise<Served> {
  const asked: string[] = [];
  const server = await listening((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    asked.push(request.headers.range ?? "all");
    if (from >= bytes.length) {
      return void response.writeHead(416).end();
    }
    const rest = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (asked.length > breaks) {
      return void response.end(rest);
    }
    response.write(rest.subarray(0, Math.ceil(rest.length / 3)), () => request.socket.destroy());
  });
  return { server, asked };
}

async function projectWith(nucleus: string, bytes: Uint8Array): Promise<string> {
  const root = shippedProject();
  const { ca } = await signed();
  writeFileSync(join(root, "signer.pem"), ca);
  edit(
    root,
    "settings.ini",
    "version = 2.16.0",
    `version = 2.99.0\nsha256 = ${sha256Of(bytes)}\nnucleus = ${nucleus}\nsigner = signer.pem`,
  );
  return root;
}

async function build(root: string, cache: string): Promise<Ended> {
  return new Started(root, process.execPath, [BIN, "build", "edge-installer"], {
    env: { ...PLAIN, XDG_CACHE_HOME: cache },
  }).end(30_000);
}

testWith(
  test,
  SIGNING_TOOLS,
  "nucleus = URL: fetched once, going on where the connection broke, with progress; afterwards from the cache",
  async () => {
    const { signing } = await signed();
    const bytes = await signing.sign(plainZip("2.99.0"), "amazon");
    const { server, asked } = await serving(bytes, 2);
    const cache = tempFolder("cache");
    try {
      const root = await projectWith(`http://127.0.0.1:${portOf(server)}`, bytes);
      const { exit, stderr } = await build(root, cache);
      assert.is(exit, 0, stderr);
      assert.ok(readFileSync(join(root, "edge/nucleus/greengrass-2.99.0.zip")).equals(bytes));
      assert.is(asked.length, 3);
      assert.is(asked[0], "all");
      assert.match(asked[2]!, /^bytes=[1-9]\d+-$/);
      assert.match(
        stderr,
        /greengrass-2\.99\.0\.zip: 3\d % of 0\.0 MB[^]*the connection broke[^]*going on at/,
      );
      assert.match(
        textOf(root, "edge/out/core-1/setup.sh"),
        new RegExp(`NUCLEUS_SHA256='${sha256Of(bytes)}'`),
      );
      rmSync(join(root, "edge/nucleus"), { recursive: true });
      assert.is((await build(root, cache)).exit, 0);
      assert.is(asked.length, 3, "the second time it comes from the cache");
    } finally {
      server.close();
    }
  },
);

testWith(
  test,
  SIGNING_TOOLS,
  "a refused zip is no target, is not kept, and is told with all that is wrong",
  async () => {
    const bytes = plainZip("2.15.0");
    const { server } = await serving(bytes);
    const cache = tempFolder("cache");
    try {
      const root = await projectWith(`http://127.0.0.1:${portOf(server)}`, bytes.subarray(1));
      const { exit, stderr } = await build(root, cache);
      assert.is(exit, 1);
      for (const code of ["DP605", "DP606", "DP607"]) {
        assert.match(stderr, code);
      }
      assert.not.ok(existsSync(join(root, "edge/nucleus/greengrass-2.99.0.zip")));
      assert.not.ok(existsSync(join(cache, "dospesos/nucleus/greengrass-2.99.0.zip")));
    } finally {
      server.close();
    }
  },
);

testWith(
  test,
  SIGNING_TOOLS,
  "nucleus = FOLDER: taken from there without network, and again when it changes",
  async () => {
    const { signing } = await signed();
    const bytes = await signing.sign(plainZip("2.99.0"), "amazon");
    for (const inside of [true, false]) {
      const outside = tempFolder("zips");
      const root = await projectWith(inside ? "./zips" : outside, bytes);
      const folder = inside ? join(root, "zips") : outside;
      mkdirSync(folder, { recursive: true });
      const missing = await build(root, tempFolder("cache"));
      assert.is(missing.exit, 1);
      assert.match(missing.stderr, /zips.*greengrass-2\.99\.0\.zip: error/);
      writeFileSync(join(folder, "greengrass-2.99.0.zip"), bytes);
      const { exit, stderr } = await build(root, tempFolder("cache"));
      assert.is(exit, 0, stderr);
      writeFileSync(join(folder, "greengrass-2.99.0.zip"), bytes.subarray(0, -1));
      assert.match((await build(root, tempFolder("cache"))).stderr, /DP605/);
    }
  },
);

test("nucleus = none, which is the default: nothing is fetched, and a build needs no zip", async () => {
  const root = shippedProject();
  const { exit, stderr } = await build(root, tempFolder("cache"));
  assert.is(exit, 0, stderr);
  assert.not.ok(existsSync(join(root, "edge/nucleus")));
});

async function assertRejects(promise: Promise<unknown>, what: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.match(error?.message ?? "nothing was refused", what);
}

async function listening(answer: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(answer as never);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A time stamping authority as openssl-ts(1) plays it. */
function timestampAuthority(): { certificate: string; answer: Parameters<typeof createServer>[1] } {
  const folder = tempFolder("tsa");
  const openssl = (...words: string[]): void => {
    const { status, stderr } = spawnSync("openssl", words, { cwd: folder, encoding: "utf8" });
    if (status !== 0) {
      throw new Error(stderr);
    }
  };
  writeFileSync(
    join(folder, "tsa.cnf"),
    `[tsa]\ndefault_tsa = one\n[one]\nserial = ./serial\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512
accuracy = secs:1\nordering = yes\ntsa_name = yes\ness_cert_id_chain = no\n[req]\ndistinguished_name = dn\n[dn]\n`,
  );
  writeFileSync(join(folder, "serial"), "01\n");
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "key",
    "-out",
    "cert",
    "-days",
    "300",
    "-subj",
    "/CN=tsa",
    "-addext",
    "extendedKeyUsage=critical,timeStamping",
    "-config",
    "tsa.cnf",
  );
  return {
    certificate: readFileSync(join(folder, "cert"), "utf8"),
    answer: (request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        writeFileSync(join(folder, "query"), Buffer.concat(pieces));
        openssl(
          "ts",
          "-reply",
          "-config",
          "tsa.cnf",
          "-queryfile",
          "query",
          "-inkey",
          "key",
          "-signer",
          "cert",
          "-out",
          "reply",
        );
        response
          .writeHead(200, { "content-type": "application/timestamp-reply" })
          .end(readFileSync(join(folder, "reply")));
      });
    },
  };
}

test.run();
