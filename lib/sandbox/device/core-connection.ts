import type { IClientOptions, MqttClient } from "mqtt";
import type { CoreBundle } from "./bundle.ts";

export interface CoreConnectionOptions {
  readonly bundle: CoreBundle;
  /** The port of IoT Core on the loopback interface. */
  readonly port: number;
  readonly log: (line: string) => void;
  readonly onConnect: () => void;
  /** The connection is gone, or did not come about. */
  readonly onClose: () => void;
  readonly onMessage: (topic: string, text: string) => void;
}

/** As the nucleus connects (aws-greengrass-nucleus, AwsIotMqtt5Client, and its defaults). */
const SESSION_SECONDS = 604_800;
const RECEIVE_MAXIMUM = 100;
const KEEP_ALIVE = 60;

/** A core's connection to IoT Core, with the certificate of its bundle and MQTT 5. */
export class CoreConnection {
  readonly #options: CoreConnectionOptions;
  #client: MqttClient | undefined;
  #closed = false;

  constructor(options: CoreConnectionOptions) {
    this.#options = options;
  }

  /** Begins to connect; whether it gets there, `onConnect` tells. */
  async open(): Promise<void> {
    const { bundle, port, log, onConnect, onClose, onMessage } = this.#options;
    const { connect } = await import("mqtt");
    if (this.#closed) {
      return;
    }
    const client = connect({
      protocol: "mqtts",
      host: "127.0.0.1",
      port,
      clientId: bundle.name,
      protocolVersion: 5,
      clean: true,
      keepalive: KEEP_ALIVE,
      properties: { sessionExpiryInterval: SESSION_SECONDS, receiveMaximum: RECEIVE_MAXIMUM },
      reconnectPeriod: 1000,
      reconnectOnConnackError: true,
      connectTimeout: 10_000,
      cert: bundle.certificate,
      key: bundle.key,
      ca: bundle.rootCa,
      // The name that the server's certificate is checked against is the endpoint's, which DNS does not know
      // here.
      servername: bundle.dataEndpoint,
    } as IClientOptions);
    this.#client = client;
    let last = "";
    client.on("close", onClose);
    client.on("error", (error) => {
      const why = "code" in error && typeof error.code === "string" ? error.code : error.message;
      const line = `${bundle.name} cannot connect to ${bundle.dataEndpoint}: ${why}`;
      if (line !== last) {
        log(line);
      }
      last = line;
    });
    client.on("connect", onConnect);
    client.on("message", (topic, payload) => onMessage(topic, payload.toString()));
  }

  get isOpen(): boolean {
    return !this.#closed && this.#client?.connected === true;
  }

  async subscribe(topics: string[], what: string): Promise<void> {
    if (this.#client !== undefined) {
      await this.#orClosed(this.#client.subscribeAsync(topics, { qos: 1, rap: true }), what);
    }
  }

  async publish(topic: string, document: object): Promise<void> {
    if (!this.isOpen || this.#client === undefined) {
      throw new Error(`not connected any more, ${topic} is not sent`);
    }
    await this.#orClosed(this.#client.publishAsync(topic, JSON.stringify(document), { qos: 1 }), topic);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.endAsync(true);
  }

  /**
   * What is not acknowledged because the connection ended is never acknowledged: mqtt.js alone would wait for
   * it for ever.
   */
  async #orClosed(work: Promise<unknown>, what: string): Promise<void> {
    const client = this.#client;
    let onClose = (): void => {};
    const closed = new Promise<never>(
      (_, reject) => (onClose = () => reject(new Error(`the connection ended before ${what} was done`))),
    );
    client?.once("close", onClose);
    try {
      await Promise.race([work, closed]);
    } finally {
      client?.off("close", onClose);
      work.catch(() => {});
    }
  }
}
