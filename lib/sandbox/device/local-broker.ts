import type { Client } from "aedes";
import { openBroker, type Broker, type BrokerOptions } from "../data-plane/broker.ts";
import { peerCertificateId } from "../data-plane/peer.ts";
import type { MayDevice, Operation } from "./device-groups.ts";

export interface LocalBrokerOptions extends Omit<BrokerOptions, "refused"> {
  /**
   * Asks the cloud whether the certificate (its id) is one of that client device. Gives why it is not, or
   * undefined.
   */
  readonly verify: (certificateId: string, thing: string) => string | undefined;
  /**
   * What client devices may do; asked each time, so that a deployment changes it for those that are
   * connected.
   */
  readonly may: MayDevice;
  readonly log: (line: string) => void;
}

/**
 * The MQTT broker of a core for its client devices: `aws.greengrass.clientdevices.mqtt.Moquette` with
 * `clientdevices.Auth`.
 */
export async function openLocalBroker({ verify, may, log, ...options }: LocalBrokerOptions): Promise<Broker> {
  const things = new Map<Client, string>();
  const isAllowed = (client: Client | null, operation: Operation, resource: string): boolean => {
    if (client === null) {
      return true;
    } // the broker itself
    const thing = things.get(client);
    const allowed = thing !== undefined && may(thing, operation, resource);
    if (!allowed) {
      log(`${client.id} may not ${operation} on ${resource}`);
    }
    return allowed;
  };
  const whyNot = (id: string, thing: string): string | undefined => {
    try {
      return (
        verify(id, thing) ??
        (may(thing, "mqtt:connect", `mqtt:clientId:${thing}`) ? undefined : "no device group lets it connect")
      );
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const broker = await openBroker(
    { ...options, refused: (why) => log(`a client device was refused: ${why}`) },
    {
      preConnect: (client, { clientId }, done) => {
        const why = whyNot(peerCertificateId(client.conn) ?? "", clientId);
        if (why === undefined) {
          things.set(client, clientId);
        } else {
          log(`${clientId} was refused: ${why}`);
        }
        done(null, why === undefined);
      },
      authorizePublish: (client, packet, done) =>
        done(
          isAllowed(client, "mqtt:publish", `mqtt:topic:${packet.topic}`) ? null : new Error("not allowed"),
        ),
      authorizeSubscribe: (client, subscription, done) =>
        done(
          null,
          isAllowed(client, "mqtt:subscribe", `mqtt:topicfilter:${subscription.topic}`) ? subscription : null,
        ),
      authorizeForward: (_, packet) => packet,
    },
  );
  broker.aedes.on("clientDisconnect", (client) => things.delete(client));
  return broker;
}
