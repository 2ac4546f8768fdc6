import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { tempFolder } from "../support/temp.ts";
import { toolPath } from "../support/tools.ts";
import { project } from "./templates.ts";

const test = suite("talk.mjs discover");

const pki = tempFolder("pki");

function openssl(command: string): void {
  execFileSync("openssl", command.split(" "), { cwd: pki, stdio: "ignore" });
}

/** NAME.pem and NAME.key: a CA of its own, or a certificate that the CA named `by` has signed. */
function certificate(name: string, by?: string): void {
  const key = `-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${name}.key -subj /CN=${name}`;
  if (by === undefined) {
    openssl(`req -x509 ${key} -days 2 -out ${name}.pem`);
    return;
  }
  writeFileSync(join(pki, "san"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
  openssl(`req -new ${key} -out ${name}.csr`);
  openssl(
    `x509 -req -in ${name}.csr -CA ${by}.pem -CAkey ${by}.key -CAcreateserial -days 2 -extfile san -out ${name}.pem`,
  );
}

const pem = (name: string): string => readFileSync(join(pki, name), "utf8");

const ANSWER = {
  GGGroups: [
    {
      GGGroupId: "greengrassV2-coreDevice-core-1",
      Cores: [
        {
          thingArn: "arn:aws:iot:eu-west-1:000000000000:thing/core-1",
          Connectivity: [
            { id: "a", hostAddress: "192.168.1.7", portNumber: 8883, metadata: "" },
            { id: "b", hostAddress: "172.17.0.1", portNumber: 8883, metadata: "docker0" },
          ],
        },
      ],
      CAs: ["-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"],
    },
  ],
};

type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
  /** What the server was asked, as `NAME-OF-CLIENT METHOD PATH`. */
  asked: string[];
  kit: string;
}

interface Change {
  sandbox?: boolean;
  ca?: string;
  client?: string;
  arguments?: string[];
  drop?: string;
}

/**
 * Runs the kit's program against an HTTPS server on this machine which asks for a certificate of the
 * "account" CA.
 */
async function discover(answerer: Answerer, change: Change = {}): Promise<Run> {
  const asked: string[] = [];
  const server: Server = createServer(
    {
      key: pem("server.key"),
      cert: pem("server.pem"),
      ca: pem("account.pem"),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      asked.push(
        `${String((request.socket as TLSSocket).getPeerCertificate().subject.CN)} ${request.method} ${request.url}`,
      );
      answerer(request, response);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const kit = tempFolder("kit");
  const client = change.client ?? "client";
  for (const name of ["talk.mjs", "core-connection.mjs", "discovery.mjs"]) {
    copyFileSync(join(project, "edge/thing-kit", name), join(kit, name));
  }
  writeFileSync(join(kit, "device.pem.crt"), pem(`${client}.pem`));
  writeFileSync(join(kit, "private.pem.key"), pem(`${client}.key`));
  writeFileSync(join(kit, "AmazonRootCA1.pem"), pem(`${change.ca ?? "web"}.pem`));
  writeFileSync(
    join(kit, "connection.json"),
    JSON.stringify({
      thing: "thing-1",
      region: "eu-west-1",
      discovery_host: "localhost",
      discovery_port: (server.address() as AddressInfo).port,
      certificate: "device.pem.crt",
      key: "private.pem.key",
      ca: "AmazonRootCA1.pem",
      sandbox: change.sandbox ?? false,
    }),
  );
  if (change.drop !== undefined) {
    rmSync(join(kit, change.drop));
  }
  const program = [join(kit, "talk.mjs"), "discover", ...(change.arguments ?? [])];
  const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const [status] = (await once(child, "close")) as [number | null];
  server.closeAllConnections();
  server.close();
  return { status, stdout, stderr, asked, kit };
}

const json =
  (value: unknown, status = 200): Answerer =>
  (_, response) => {
    const body = typeof value === "string" ? value : JSON.stringify(value);
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  };

if (toolPath("openssl") === undefined) {
  console.error("\nNOT RUN (needs openssl): talk.mjs discover against a server");
} else {
  test.before(() => {
    for (const ca of ["web", "account", "foreign"]) {
      certificate(ca);
    }
    certificate("server", "web");
    certificate("client", "account");
    certificate("stranger", "foreign");
  });

  test("asks with the thing's certificate and prints every address of every core with its CA file", async () => {
    const run = await discover(json(ANSWER));
    assert.is(run.stderr, "");
    assert.is(run.status, 0);
    assert.equal(run.asked, ["client GET /greengrass/discover/thing/thing-1"]);
    const ca = join(run.kit, "core-ca-greengrassV2-coreDevice-core-1.pem");
    assert.is(
      run.stdout,
      `core core-1\n  CA file  ${ca}\n  address  192.168.1.7:8883\n  address  172.17.0.1:8883  docker0\n`,
    );
    assert.is(readFileSync(ca, "utf8"), ANSWER.GGGroups[0]!.CAs[0]);
  });

  test("reads the answer's keys in any case", async () => {
    const lower = JSON.parse(JSON.stringify(ANSWER), (_, value: unknown) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner]))
        : value,
    ) as unknown;
    const run = await discover(json(lower));
    assert.is(run.status, 0);
    assert.match(run.stdout, /address {2}192\.168\.1\.7:8883/);
  });

  for (const [status, hint] of [
    [403, /greengrass:Discover/],
    [404, /not associated[^]*clientdevices\.Auth/],
  ] as const) {
    test(`explains ${status} and ends with 4`, async () => {
      const run = await discover(json({ message: "no" }, status));
      assert.is(run.status, 4);
      assert.match(run.stderr, hint);
      assert.match(run.stderr, /it said: \{"message":"no"\}/);
    });
  }

  test("explains an empty reply, a closed connection and an answer without an address", async () => {
    const empty = await discover(json(""));
    const closed = await discover((request) => request.socket.destroy());
    for (const run of [empty, closed]) {
      assert.is(run.status, 4);
      assert.match(run.stderr, /certificate of thing-1 is not active/);
    }
    const none = await discover(json({ GGGroups: [] }));
    assert.is(none.status, 4);
    assert.match(none.stderr, /not associated/);
  });

  test("sends nothing to a server whose certificate is of another CA, unless --ca names that CA", async () => {
    const refused = await discover(json(ANSWER), { ca: "foreign" });
    assert.is(refused.status, 1);
    assert.match(refused.stderr, /not to be trusted/);
    assert.equal(refused.asked, []);
    const options = ["--ca", join(pki, "web.pem"), "--host", "127.0.0.1"];
    const run = await discover(json(ANSWER), { ca: "foreign", arguments: options });
    assert.is(run.status, 0, run.stderr);
  });

  test("a certificate that the account does not know is explained", async () => {
    const run = await discover(json(ANSWER), { client: "stranger" });
    assert.is(run.status, 4);
    assert.match(run.stderr, /not active, or not one of this account/);
    assert.equal(run.asked, []);
  });

  test("an answer that is not JSON, or tries to move the terminal or the CA file, does no harm", async () => {
    const html = await discover(json("<html>\u001b[2J"));
    assert.is(html.status, 1);
    assert.match(html.stderr, /not JSON: <html>\?\[2J/);
    const hostile = structuredClone(ANSWER);
    hostile.GGGroups[0]!.GGGroupId = "../../evil";
    hostile.GGGroups[0]!.Cores[0]!.Connectivity[0]!.hostAddress = "1.2.3.4\u001b[31m";
    const run = await discover(json(hostile));
    assert.is(run.status, 0);
    assert.ok(existsSync(join(run.kit, "core-ca-______evil.pem")));
    assert.not.match(run.stdout, /\u001b/);
  });

  test("the private key is never printed, whatever goes wrong", async () => {
    const secret = pem("client.key").split("\n")[1]!;
    const runs = [
      await discover(json(ANSWER)),
      await discover(json("", 500)),
      await discover(json(ANSWER), { arguments: ["--port", "1"] }),
    ];
    for (const run of runs) {
      assert.not.ok((run.stdout + run.stderr).includes(secret));
    }
  });

  test("in the sandbox says SANDBOX first", async () => {
    assert.match((await discover(json(ANSWER), { sandbox: true })).stderr, /^SANDBOX: /);
    assert.not.match((await discover(json(ANSWER))).stdout, /SANDBOX/);
  });

  test("wrong usage and a kit that is not whole end with 2 and name what is wrong", async () => {
    const option = await discover(json(ANSWER), { arguments: ["--frobnicate"] });
    assert.is(option.status, 2);
    assert.match(option.stderr, /--frobnicate[^]*usage: node talk\.mjs/);
    const port = await discover(json(ANSWER), { arguments: ["--port", "x"] });
    assert.is(port.status, 2);
    const missing = await discover(json(ANSWER), { drop: "private.pem.key" });
    assert.is(missing.status, 2);
    assert.match(missing.stderr, /cannot read .*private\.pem\.key \(ENOENT\)/);
  });
}

test.run();
