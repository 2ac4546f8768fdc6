import type { AccountFile } from "../account-file.ts";
import { iotArn } from "../arns.ts";
import { carryOn } from "../greengrass/queueing.ts";
import { decide, type Principal } from "../iot/authorization.ts";
import { openBroker } from "../mqtt/broker.ts";
import type { Wire } from "../mqtt/wire.ts";
import { FORBIDDEN } from "../mqtt/endings.ts";
import { opened } from "../mqtt/envelope.ts";
import type { Note, Outcome } from "./messages.ts";
import { jobNotices } from "./job-notices.ts";
import type { Observations } from "./observations.ts";
import { peerCertificate, thingOf } from "./peer.ts";
import { provisioning } from "./provisioning.ts";
import { reservedTopics } from "./reserved-topics.ts";
import type { TlsPortOptions } from "./tls-port.ts";

export interface IotCoreOptions {
  readonly file: AccountFile;
  readonly region: string;
  readonly observed: Observations;
  /** Whether a client is one of the sandbox's own, which speaks for itself. */
  readonly isSimulated: (clientId: string) => boolean;
  /** Told what happens, for a person. */
  readonly log: (line: string) => void;
  /** Told each message on AWS's own topics: "core-1 -> TOPIC PAYLOAD", and "<-" for an answer. */
  readonly trace: (line: string) => void;
}

/** How often deployments that keep to a rate are looked at, in milliseconds. */
const SECOND = 1000;

export interface IotCore {
  readonly accept: TlsPortOptions["accept"];
  close: () => Promise<void>;
}

/**
 * AWS IoT Core's message broker: certificates that are known and active, the policies' iot:Connect, Publish,
 * RetainPublish, Subscribe and Receive, and AWS's limits. As in AWS, a publish that is not allowed ends the
 * connection of MQTT 3.1.1, a subscription that is not allowed is answered with 0x80, and a certificate that is
 * deactivated ends its connections (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html).
 */
export async function openIotCore({
  file,
  region: name,
  observed,
  isSimulated,
  log,
  trace,
}: IotCoreOptions): Promise<IotCore> {
  const region = file.account.region(name);
  const principals = new WeakMap<Wire, Principal>();
  const now = (): number => Date.now() / 1000;
  const save = (): void =>
    void file.save().catch((error: unknown) => log(`the account was not saved: ${String(error)}`));

  const may = (connection: Wire, action: string, resource: string): boolean => {
    const principal = principals.get(connection);
    if (principal === undefined) {
      return false;
    }
    const { allowed, why } = decide(region, principal, action, iotArn(region, resource));
    if (!allowed) {
      connection.note(`may not: ${why}`);
    }
    return allowed;
  };

  const broker = await openBroker({
    versions: [4, 5],
    limits: true,
    note: (who, from, what) => observed.note(who, from, what),
    rules: {
      refusal: (connection) => {
        const { clientId } = connection;
        const certificate = peerCertificate(region, connection.socket);
        if (typeof certificate === "string") {
          return certificate;
        }
        const principal = { certificate, thing: thingOf(region, certificate, clientId), clientId };
        const { allowed, why } = decide(
          region,
          principal,
          "iot:Connect",
          iotArn(region, `client/${clientId}`),
        );
        principals.set(connection, principal);
        return allowed ? undefined : why;
      },
      mayPublish: (connection, topic, retain) =>
        may(connection, "iot:Publish", `topic/${topic}`) &&
        (!retain || may(connection, "iot:RetainPublish", `topic/${topic}`)),
      maySubscribe: (connection, filter) => may(connection, "iot:Subscribe", `topicfilter/${filter}`),
      mayReceive: (connection, topic) => may(connection, "iot:Receive", `topic/${topic}`),
    },
  });

  const seen = (connection: Wire, connected: boolean): void => {
    const thing = principals.get(connection)?.thing;
    if (thing === undefined || connection.clientId !== thing) {
      return;
    }
    const { reason } = connection;
    region.connections.set(thing, { connected, at: now(), ...(connected ? {} : { reason }) });
    save();
  };
  const says = ({ clientId, from = "gone" }: Wire, what: string): void => {
    if (!isSimulated(clientId)) {
      log(`${clientId} (${from}) ${what}`);
    }
  };
  broker.on.connected((connection) => {
    says(connection, `is connected with MQTT ${connection.version === 5 ? "5" : "3.1.1"}`);
    seen(connection, true);
  });
  broker.on.ended((connection) => {
    says(connection, `is gone: ${connection.reason}`);
    seen(connection, false);
  });

  const reserved = reservedTopics(region, log);
  const claims = provisioning(file.account, region, file.home, log);
  const tell = (notice: Note): void => {
    trace(`${notice.topic.split("/")[2] ?? ""} <- ${notice.topic} ${JSON.stringify(notice.document)}`);
    broker.publish(sentOf(notice));
  };
  const follow = (connection: Wire, { answers = [], notices = [], changed = false }: Outcome): void => {
    // An answer is for who asked, subscribed or not
    // (https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html).
    for (const answer of answers) {
      trace(`${connection.clientId} <- ${answer.topic} ${JSON.stringify(answer.document)}`);
      broker.answer(connection, sentOf(answer));
    }
    notices.forEach(tell);
    if (changed) {
      save();
    }
  };
  broker.on.published((connection, { topic, payload }) => {
    if (!topic.startsWith("$aws/")) {
      return;
    }
    const message = { topic, text: opened(payload).payload.toString(), now: now() };
    trace(`${connection.clientId} -> ${topic} ${message.text}`);
    const provisioned = claims.take(message);
    if (provisioned === undefined) {
      return follow(connection, reserved.take(connection.clientId, message));
    }
    provisioned
      .then((outcome) => follow(connection, outcome))
      .catch((error: unknown) => log(`${topic}: ${String(error)}`));
  });

  const news = jobNotices(region);
  const stop = file.onSaved((changes) => {
    const certificates = new Set(changes.get(region.certificates.name)?.map(([key]) => key));
    for (const connection of certificates.size === 0 ? [] : broker.connections()) {
      const id = principals.get(connection)?.certificate.id;
      if (id !== undefined && certificates.has(id) && region.certificates.get(id)?.status !== "ACTIVE") {
        connection.note(`is cut off: its certificate ${id.slice(0, 8)}… is not active any more`);
        connection.endWith(FORBIDDEN);
      }
    }
    news(now(), changes).forEach(tell);
  });
  // What a killed sandbox left behind: nobody is connected to this one yet.
  const disconnectAll = (): void => {
    for (const thing of region.connections.keys()) {
      if (region.connections.get(thing)?.connected === true) {
        const reason = "SERVER_INITIATED_DISCONNECT";
        region.connections.set(thing, { connected: false, at: now(), reason });
      }
    }
  };
  disconnectAll();
  const clock = setInterval(() => {
    if (carryOn(region, now())) {
      save();
    }
  }, SECOND);
  clock.unref();
  return {
    accept: broker.accept,
    close: async () => {
      clearInterval(clock);
      stop();
      await broker.close();
      disconnectAll();
      await file.save();
    },
  };
}

function sentOf({ topic, document }: { topic: string; document: object }) {
  return { topic, payload: Buffer.from(JSON.stringify(document)) };
}
