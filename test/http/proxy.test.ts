// A network whose way out is a proxy (B17): the account behind real TLS, reached by CONNECT alone.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createCa, issueServer } from "../../lib/pki/ca.ts";
import { Started, type Ended } from "../support/bin.ts";
import { freshClone } from "../support/clone.ts";
import { tempFolder } from "../support/temp.ts";
import { ACCOUNT, standIn } from "../terraform/real-account.ts";

const HOSTS = ["sts", "iot", "greengrass"].map((service) => `${service}.eu-west-1.amazonaws.com`);

const clone = freshClone();
const settings = join(clone.root, "settings.ini");
writeFileSync(settings, readFileSync(settings, "utf8").replace("account = sandbox", `account = ${ACCOUNT}`));
const folder = tempFolder("proxy");
const closing: (() => unknown)[] = [];
/** What the proxy was asked for, and with which credentials. */
const asked: { readonly host: string; readonly credentials: string | undefined }[] = [];
let environment: NodeJS.ProcessEnv;
let port: number;

const portOf = (server: { address: () => unknown }): number => (server.address() as AddressInfo).port;

/** A proxy that leads every host to one port, or refuses. */
function proxyTo(target: number): Server {
  const proxy = createServer();
  proxy.on("connect", (request, socket) => {
    const header = request.headers["proxy-authorization"];
    const credentials = header && Buffer.from(header.replace("Basic ", ""), "base64").toString();
    asked.push({ host: request.url!, credentials });
    if (credentials === undefined) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 14\r\n\r\n<html>no</html>");
      return;
    }
    const there = connect(target, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(there).pipe(socket);
    });
    there.on("error", () => socket.destroy());
    socket.on("error", () => there.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  return proxy;
}

test.before(async () => {
  const account = await standIn();
  closing.push(account.close);
  const ca = await createCa();
  const { key, certificate } = await issueServer(ca, [...HOSTS, "iam.amazonaws.com"]);
  const { AWS_ENDPOINT_URL: url, ...rest } = account.environment;
  const front = createTlsServer({ key, cert: certificate }, (socket) => {
    const behind = connect(Number(new URL(url!).port), "127.0.0.1");
    socket.pipe(behind).pipe(socket);
    socket.on("error", () => behind.destroy());
    behind.on("error", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  const proxy = proxyTo(portOf(front));
  await once(proxy, "listening");
  closing.push(
    () => front.close(),
    () => proxy.close(),
  );
  writeFileSync(join(folder, "ca.pem"), ca.certificate);
  port = portOf(proxy);
  const plain = Object.entries(process.env).filter(([name]) => !/_proxy$|^AWS_/i.test(name));
  environment = {
    ...Object.fromEntries(plain),
    ...rest,
    NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    NO_COLOR: "1",
  };
});

test.after(() => closing.forEach((close) => close()));

async function inventory(proxies: NodeJS.ProcessEnv): Promise<Ended> {
  asked.length = 0;
  const bin = join(clone.root, "lib/cli/bin.cjs");
  return await new Started(clone.root, process.execPath, [bin, "inventory"], {
    env: { ...environment, ...proxies },
  }).end(60_000);
}

for (const name of ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
  test(`AWS is asked through the proxy of ${name}, with its credentials`, async () => {
    const { exit, stderr } = await inventory({ [name]: `http://user:s%40crt@127.0.0.1:${port}` });
    assert.is(exit, 0, stderr);
    assert.ok(asked.length > 0);
    assert.ok(
      asked.every(
        ({ host, credentials }) => HOSTS.includes(host.replace(":443", "")) && credentials === "user:s@crt",
      ),
    );
  });
}

test("a proxy that refuses, that is not there or that is no URL is named, without its password", async () => {
  const refused = await inventory({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
  assert.is(refused.exit, 1);
  assert.match(
    refused.stderr,
    `why: the proxy http://127.0.0.1:${port} answered 407 Proxy Authentication Required`,
  );
  const closed = await inventory({ HTTPS_PROXY: "http://user:s%40crt@127.0.0.1:9" });
  assert.is(closed.exit, 1);
  assert.match(closed.stderr, "fix: see that the proxy http://127.0.0.1:9 is right (HTTPS_PROXY, NO_PROXY)");
  assert.not.match(closed.stderr, /s%40crt|s@crt/);
  const socks = await inventory({ HTTPS_PROXY: "socks5://127.0.0.1:9" });
  assert.match(socks.stderr, "why: HTTPS_PROXY (or ALL_PROXY) is not an http:// or https:// URL");
});

test("NO_PROXY is honoured, and who has no way out is told of HTTPS_PROXY", async () => {
  for (const proxies of [{ HTTPS_PROXY: `http://u:p@127.0.0.1:${port}`, NO_PROXY: "*.amazonaws.com" }, {}]) {
    const { exit, stderr } = await inventory({ ...proxies, AWS_MAX_ATTEMPTS: "1" });
    assert.is(exit, 1);
    assert.equal(asked, []);
    assert.match(
      stderr,
      /error DP610: .*\n {2}why: .*(ENOTFOUND|EAI_AGAIN|certificate).*\n {2}fix: .*HTTPS_PROXY/,
    );
  }
});

test("the sandbox is never asked through a proxy", async () => {
  const here = freshClone();
  const { exit, stderr } = await new Started(
    here.root,
    process.execPath,
    [join(here.root, "lib/cli/bin.cjs"), "build", "edge-installer"],
    { env: { ...environment, HTTPS_PROXY: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" } },
  ).end(120_000);
  assert.is(exit, 0, stderr);
});

test.run();
