import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { BIN, PLAIN, Started, type Ended } from "../support/bin.ts";
import { edit, shippedProject, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { plainZip } from "./nucleus-zip.ts";

const test = suite("the nucleus zip");

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

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

function projectWith(nucleus: string, bytes: Uint8Array): string {
  const root = shippedProject();
  edit(
    root,
    "settings.ini",
    "version = 2.16.0",
    `version = 2.99.0\nsha256 = ${sha256Of(bytes)}\nnucleus = ${nucleus}`,
  );
  return root;
}

async function build(root: string, cache: string): Promise<Ended> {
  return new Started(root, process.execPath, [BIN, "build", "edge-installer"], {
    env: { ...PLAIN, XDG_CACHE_HOME: cache },
  }).end(30_000);
}

test("nucleus = URL: fetched once, going on where the connection broke, with progress; afterwards from the cache", async () => {
  const bytes = Buffer.from(plainZip("2.99.0"));
  const { server, asked } = await serving(bytes, 2);
  const cache = tempFolder("cache");
  try {
    const root = projectWith(`http://127.0.0.1:${portOf(server)}`, bytes);
    const { exit, stderr } = await build(root, cache);
    assert.is(exit, 0, stderr);
    assert.ok(readFileSync(join(root, "edge/nucleus/greengrass-2.99.0.zip")).equals(bytes));
    assert.is(asked.length, 3);
    assert.is(asked[0], "all");
    assert.match(asked[2]!, /^bytes=[1-9]\d+-$/);
    assert.match(stderr, /greengrass-2\.99\.0\.zip: 3\d % of 0\.0 MB[^]*the connection broke[^]*going on at/);
    assert.match(textOf(root, "edge/out/core-1/setup.sh"), new RegExp(`NUCLEUS_SHA256='${sha256Of(bytes)}'`));
    rmSync(join(root, "edge/nucleus"), { recursive: true });
    assert.is((await build(root, cache)).exit, 0);
    assert.is(asked.length, 3, "the second time it comes from the cache");
  } finally {
    server.close();
  }
});

test("a refused zip is no target, is not kept, and is reported with both digests", async () => {
  const bytes = plainZip("2.99.0");
  const { server } = await serving(bytes);
  const cache = tempFolder("cache");
  try {
    const root = projectWith(`http://127.0.0.1:${portOf(server)}`, bytes.subarray(1));
    const { exit, stderr } = await build(root, cache);
    assert.is(exit, 1);
    assert.match(stderr, /DP605/);
    assert.not.ok(existsSync(join(root, "edge/nucleus/greengrass-2.99.0.zip")));
    assert.not.ok(existsSync(join(cache, "dospesos/nucleus/greengrass-2.99.0.zip")));
  } finally {
    server.close();
  }
});

test("nucleus = FOLDER: taken from there without network, and again when it changes", async () => {
  const bytes = Buffer.from(plainZip("2.99.0"));
  for (const inside of [true, false]) {
    const outside = tempFolder("zips");
    const root = projectWith(inside ? "./zips" : outside, bytes);
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
});

test("nucleus = none, which is the default: nothing is fetched, and a build needs no zip", async () => {
  const root = shippedProject();
  const { exit, stderr } = await build(root, tempFolder("cache"));
  assert.is(exit, 0, stderr);
  assert.not.ok(existsSync(join(root, "edge/nucleus")));
});

async function listening(answer: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(answer as never);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

test.run();
