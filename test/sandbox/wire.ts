import { once, type EventEmitter } from "node:events";
import { dirname, join } from "node:path";
import * as iot from "@aws-sdk/client-iot";
import { connectAsync, type MqttClient } from "mqtt";
import { awsAccess, type AwsAccess } from "../../lib/aws/clients.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import { openDataPlane, type DataPlane } from "../../lib/sandbox/data-plane/index.ts";
import { tempFolder } from "../support/temp.ts";
import { reached } from "../support/bin.ts";
import { readFileSync, mkdirSync } from "node:fs";

export const REGION = "eu-west-1";

/** A sandbox's data plane in this process, with nothing in its account and no simulated core. */
export interface DataPlaneRig {
  readonly home: string;
  readonly plane: DataPlane;
  readonly access: AwsAccess;
  readonly told: string[];
  /** PEM of what its servers verify against. */
  readonly ca: string;
  tells: (what: RegExp) => Promise<void>;
  close: () => Promise<void>;
}

export async function dataPlaneRig(
  change: Partial<Parameters<typeof openDataPlane>[0]> = {},
): Promise<DataPlaneRig> {
  const home = join(tempFolder("wire"), "sandbox");
  mkdirSync(home, { recursive: true });
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const plane = await openDataPlane({
    file: join(home, "account.json"),
    region: REGION,
    bundles: join(dirname(home), "none"),
    trace: true,
    ...change,
    log: (line) => {
      told.push(line);
      for (const wake of waiting) {
        wake();
      }
    },
  });
  const access = awsAccess({ region: REGION, endpoint: plane.record.endpoint });
  const { ca } = JSON.parse(readFileSync(join(home, "account.json"), "utf8")) as {
    ca: { certificate: string };
  };
  return {
    home,
    plane,
    access,
    told,
    ca: ca.certificate,
    tells: (what) =>
      reached(
        () => told.some((line) => what.test(line)),
        (wake) => {
          waiting.add(wake);
          return () => waiting.delete(wake);
        },
        20_000,
        () => `${what} was not told:\n${told.join("\n")}`,
      ),
    close: async () => {
      access.close();
      await plane.close();
    },
  };
}

export interface Identity {
  readonly id: string;
  readonly arn: string;
  readonly key: string;
  readonly cert: string;
}

/** A certificate of the account, with a policy that is made for it. */
export async function identityWith(
  { access }: DataPlaneRig,
  policyName: string,
  statements: readonly object[],
): Promise<Identity> {
  const client = await access.iot();
  const key = createKey();
  const {
    certificateId = "",
    certificateArn = "",
    certificatePem = "",
  } = await client.send(
    new iot.CreateCertificateFromCsrCommand({
      certificateSigningRequest: await createCsr(key, policyName),
      setAsActive: true,
    }),
  );
  const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await client.send(new iot.CreatePolicyCommand({ policyName, policyDocument }));
  await client.send(new iot.AttachPolicyCommand({ policyName, target: certificateArn }));
  return { id: certificateId, arn: certificateArn, key, cert: certificatePem };
}

export function allow(Action: string | string[], Resource: string | string[] = "*"): object {
  return { Effect: "Allow", Action, Resource };
}

export async function connectedAs(
  { plane, ca }: DataPlaneRig,
  { key, cert }: Pick<Identity, "key" | "cert">,
  clientId: string,
  protocolVersion: 4 | 5 = 5,
): Promise<MqttClient> {
  const client = await connectAsync(
    `mqtts://127.0.0.1:${plane.record.iot.port}`,
    { clientId, protocolVersion, reconnectPeriod: 0, connectTimeout: 5000, key, cert, ca },
    false,
  );
  client.on("error", () => {});
  return client;
}

export interface Received {
  readonly topic: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** The next message that a client gets. */
export async function received(client: MqttClient): Promise<Received> {
  const [topic, payload] = (await once(client as unknown as EventEmitter, "message")) as [string, Buffer];
  return { topic, document: JSON.parse(payload.toString()) as Received["document"] };
}

/** Publishes a document, and gives the next message that comes. */
export async function asked(client: MqttClient, topic: string, document: object | string): Promise<Received> {
  const answer = received(client);
  await client.publishAsync(topic, typeof document === "string" ? document : JSON.stringify(document), {
    qos: 1,
  });
  return await answer;
}
