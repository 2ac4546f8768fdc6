import { openBroker } from "../mqtt/broker.ts";
import type { Note, Wire } from "../mqtt/wire.ts";
import { peerCertificateId } from "../data-plane/peer.ts";
import { openTlsPort, type TlsPort, type TlsPortOptions } from "../data-plane/tls-port.ts";
import type { MayDevice, Operation } from "./device-groups.ts";

export interface LocalBrokerOptions extends Pick<TlsPortOptions, "identity" | "clientCa" | "port"> {
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
 * The MQTT broker of a core for its client devices: `aws.greengrass.clientdevices.mqtt.Moquette`, which speaks MQTT
 * 3.1.1, with `clientdevices.Auth`.
 */
export async function openLocalBroker({ verify, may, log, ...tls }: LocalBrokerOptions): Promise<TlsPort> {
  const isAllowed = ({ clientId }: Wire, operation: Operation, resource: string): boolean => {
    const allowed = may(clientId, operation, resource);
    if (!allowed) {
      log(`${clientId} may not ${operation} on ${resource}`);
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
  const note: Note = (who, from, what) => log(`${who ?? "a client device"} (${from ?? "gone"}) ${what}`);
  const broker = await openBroker({
    versions: [4],
    limits: false,
    note,
    rules: {
      refusal: ({ socket, clientId }) => whyNot(peerCertificateId(socket) ?? "", clientId),
      mayPublish: (connection, topic) => isAllowed(connection, "mqtt:publish", `mqtt:topic:${topic}`),
      maySubscribe: (connection, filter) =>
        isAllowed(connection, "mqtt:subscribe", `mqtt:topicfilter:${filter}`),
      mayReceive: () => true,
    },
  });
  const port = await openTlsPort({
    ...tls,
    accept: broker.accept,
    refused: note,
  });
  return {
    port: port.port,
    close: async () => {
      await broker.close();
      await port.close();
    },
  };
}
