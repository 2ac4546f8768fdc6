import type { Client } from "aedes";
import type { AccountFile } from "../account-file.ts";
import { regionOf } from "../account.ts";
import { iotArn } from "../arns.ts";
import type { ServerIdentity } from "../../pki/ca.ts";
import { decide, type Principal } from "../iot/authorization.ts";
import { openBroker, publish, type Broker } from "./broker.ts";
import { peerCertificate, thingOf } from "./peer.ts";
import { answerReserved, jobNotices } from "./reserved-topics.ts";

export interface IotCoreOptions {
  readonly file: AccountFile;
  readonly region: string;
  readonly identity: ServerIdentity;
  /** 0: a free one. */
  readonly port: number;
  /** Told why something was refused, for a person. */
  readonly log: (line: string) => void;
}

/**
 * AWS IoT Core's MQTT endpoint: mutual TLS, certificates that are known and active, and the policies'
 * iot:Connect, Publish, Subscribe and Receive. As in AWS, a publish that is not allowed ends the connection,
 * a subscription that is not allowed is answered with 0x80, and a certificate that is deactivated ends its
 * connections (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html).
 */
export async function openIotCore({
  file,
  region: name,
  identity,
  port,
  log,
}: IotCoreOptions): Promise<Broker> {
  const region = regionOf(file.account, name);
  const principals = new Map<Client, Principal>();
  const now = (): number => Date.now() / 1000;
  const save = (): void =>
    void file.save().catch((error: unknown) => log(`the account was not saved: ${String(error)}`));

  const may = (client: Client | null, action: string, resource: string): boolean => {
    if (client === null) {
      return true;
    } // the broker itself
    const principal = principals.get(client);
    if (principal === undefined) {
      return false;
    }
    const { allowed, why } = decide(region, principal, action, iotArn(region, resource));
    if (!allowed) {
      log(`${client.id}: ${why}`);
    }
    return allowed;
  };

  const broker = await openBroker(
    {
      identity,
      clientCa: file.account.ca.certificate,
      port,
      refused: (why) => log(`a client was refused: ${why}`),
    },
    {
      preConnect: (client, { clientId }, done) => {
        const certificate = peerCertificate(region, client.conn);
        if (typeof certificate === "string") {
          log(`${clientId} was refused: ${certificate}`);
          return done(null, false);
        }
        const principal = { certificate, thing: thingOf(certificate, clientId), clientId };
        const { allowed, why } = decide(
          region,
          principal,
          "iot:Connect",
          iotArn(region, `client/${clientId}`),
        );
        if (allowed) {
          principals.set(client, principal);
        } else {
          log(`${clientId} was refused: ${why}`);
        }
        done(null, allowed);
      },
      authorizePublish: (client, packet, done) =>
        done(may(client, "iot:Publish", `topic/${packet.topic}`) ? null : new Error("not allowed")),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, may(client, "iot:Subscribe", `topicfilter/${subscription.topic}`) ? subscription : null),
      authorizeForward: (client, packet) =>
        may(client, "iot:Receive", `topic/${packet.topic}`) ? packet : null,
    },
  );

  const { aedes } = broker;
  const seen = (client: Client, connected: boolean): void => {
    const thing = principals.get(client)?.thing;
    if (thing === undefined || client.id !== thing) {
      return;
    }
    region.connections.set(thing, {
      thing,
      connected,
      at: now(),
      ...(connected ? {} : { reason: "CONNECTION_LOST" }),
    });
    save();
  };
  aedes.on("client", (client) => seen(client, true));
  aedes.on("clientDisconnect", (client) => {
    seen(client, false);
    principals.delete(client);
  });
  aedes.on("publish", (packet, client) => {
    const thing = client === null ? undefined : principals.get(client)?.thing;
    if (thing === undefined || !packet.topic.startsWith(`$aws/things/${thing}/`)) {
      return;
    }
    const topic = packet.topic.slice(`$aws/things/${thing}/`.length);
    if (
      answerReserved(region, thing, topic, packet.payload.toString(), now(), (to, payload) =>
        publish(aedes, to, payload),
      )
    ) {
      save();
    }
  });

  const noticed = new Set<string>();
  const stop = file.onSaved(() => {
    for (const [client, { certificate }] of principals) {
      if (region.certificates.get(certificate.id)?.status !== "ACTIVE") {
        client.close();
      }
    }
    for (const { key, thing, payload } of jobNotices(region, now())) {
      if (noticed.has(key)) {
        continue;
      }
      noticed.add(key);
      publish(aedes, `$aws/things/${thing}/jobs/notify-next`, payload);
    }
  });
  // What a killed sandbox left behind: nobody is connected to this one yet.
  const disconnectAll = (): void => {
    for (const connection of region.connections.values()) {
      if (connection.connected) {
        Object.assign(connection, { connected: false, at: now(), reason: "SERVER_INITIATED_DISCONNECT" });
      }
    }
  };
  disconnectAll();
  return {
    ...broker,
    close: async () => {
      stop();
      await broker.close();
      disconnectAll();
      await file.save();
    },
  };
}
