import type { IClientOptions, MqttClient } from "mqtt";
import { issueServer } from "../../pki/ca.ts";
import type { Broker } from "../data-plane/broker.ts";
import type { CoreCalls } from "../data-plane/core-calls.ts";
import type { CoreBundle } from "./bundle.ts";
import {
  AUTH,
  BROKER,
  DeploymentFailed,
  DETECTOR,
  messageOf,
  missingComponent,
  NUCLEUS,
  statusWhenWell,
  checkDependencies,
  jobIn,
  keepRunning,
  readRunning,
  runningAfter,
  type Running,
  type Job,
} from "./components.ts";
import { coreCa } from "./core-ca.ts";
import { deviceGroups, type MayDevice } from "./device-groups.ts";
import { openLocalBroker } from "./local-broker.ts";

export interface SimulatedCoreOptions {
  readonly bundle: CoreBundle;
  /** Where this core keeps its CA and what was deployed to it. */
  readonly home: string;
  /** The port of IoT Core on the loopback interface. */
  readonly iotPort: number;
  /** PEM of the CA that client devices' certificates come from. */
  readonly clientCa: string;
  readonly calls: CoreCalls;
  readonly log: (line: string) => void;
}

/**
 * A core device without a device: it connects to IoT Core with its bundle's certificate, reports its health,
 * takes deployments as jobs, and serves its client devices once a deployment brings the components for that.
 * It does not run the code of components.
 */
export class SimulatedCore {
  readonly #options: SimulatedCoreOptions;
  #client: MqttClient | undefined;
  #broker: Broker | undefined;
  #may: MayDevice = () => false;
  #running: Running = {};
  #errored: string | undefined;
  #sequence = 0;
  #working: Promise<void> = Promise.resolve();
  #closed = false;
  readonly #taken = new Set<string>();
  #settle: () => void = () => {};
  /** Resolves when the core has done what waited for it, or could not connect at its first try. */
  readonly settled = new Promise<void>((resolve) => (this.#settle = resolve));

  constructor(options: SimulatedCoreOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.bundle.name;
  }

  /** Begins to connect; whether it gets there, the account tells. */
  async start(): Promise<void> {
    const { bundle, iotPort, log } = this.#options;
    const { connect } = await import("mqtt");
    const client = connect({
      protocol: "mqtts",
      host: "127.0.0.1",
      port: iotPort,
      clientId: bundle.name,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 1000,
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
    client.on("close", () => this.#settle());
    client.on("error", (error) => {
      const line = `${bundle.name} cannot connect to ${bundle.dataEndpoint}: ${"code" in error ? String(error.code) : error.message}`;
      if (line !== last) {
        log(line);
      }
      last = line;
    });
    client.on("connect", () => this.#after(() => this.#connected()));
    client.on("message", (topic, payload) => {
      this.#received(topic, payload.toString());
      if (topic.endsWith("/$next/get/accepted")) {
        this.#after(async () => this.#settle());
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settle();
    await this.#client?.endAsync(true);
    await this.#working;
    await this.#broker?.close();
  }

  /** One thing after the other. What fails is reported, and the core goes on. */
  #after(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      if (!this.#closed) {
        this.#options.log(`${this.name}: ${messageOf(error)}`);
      }
    });
  }

  async #connected(): Promise<void> {
    const { name } = this;
    this.#options.log(`${name} is connected`);
    const jobs = [`$aws/things/${name}/jobs/notify-next`, `$aws/things/${name}/jobs/$next/get/accepted`];
    if (this.#client !== undefined) {
      await this.#orClosed(this.#client.subscribeAsync(jobs, { qos: 1 }), "the subscription to its jobs");
    }
    await this.#reportHealth("NUCLEUS_LAUNCH");
    const before = readRunning(this.#options.home);
    if (before !== undefined) {
      await this.#run(before).catch((error: unknown) => this.#options.log(`${name}: ${messageOf(error)}`));
      await this.#reportHealth("COMPONENT_STATUS_CHANGE");
    }
    await this.#publish("jobs/$next/get", {});
  }

  #received(topic: string, text: string): void {
    const said = jobIn(text);
    if (said === undefined) {
      this.#options.log(`${this.name}: a message on ${topic} is no JSON object, and is ignored`);
      return;
    }
    const { execution } = said;
    // A job is reported when it is made, and given when it is asked for: both may come.
    if (execution?.jobDocument === undefined || this.#taken.has(execution.jobId)) {
      return;
    }
    this.#taken.add(execution.jobId);
    this.#after(() => this.#deploy(execution));
  }

  async #deploy({ jobId, jobDocument: { deploymentId, components } }: Job): Promise<void> {
    const { calls, home, log } = this.#options;
    const update = (status: string, statusDetails: object): Promise<void> =>
      this.#publish(`jobs/${jobId}/update`, { status, statusDetails });
    await update("IN_PROGRESS", {});
    try {
      for (const [name, { version }] of Object.entries(components)) {
        if (!calls.hasComponent(name, version)) {
          throw missingComponent(name, version);
        }
      }
      checkDependencies(components);
      const running = runningAfter(this.#running, components);
      await this.#run(running);
      keepRunning(home, running);
      await this.#reportHealth("THING_GROUP_DEPLOYMENT");
      await update("SUCCEEDED", { "detailed-deployment-status": "SUCCESSFUL" });
      log(`${this.name} has deployment ${deploymentId}`);
    } catch (error) {
      if (this.#closed) {
        return;
      }
      log(`${this.name}: deployment ${deploymentId} failed: ${messageOf(error)}`);
      await this.#reportHealth("THING_GROUP_DEPLOYMENT");
      const code = error instanceof DeploymentFailed ? error.code : "COMPONENT_ERROR";
      await update("FAILED", {
        "deployment-failure-cause": messageOf(error).slice(0, 1024),
        "deployment-error-stack": `DEPLOYMENT_FAILURE,${code}`,
      });
    }
  }

  /**
   * Brings up what the components are for; new rights take effect at once, for clients that are connected as
   * well.
   */
  async #run(components: Running): Promise<void> {
    const { calls, home, clientCa, log } = this.#options;
    this.#running = components;
    const steps: [string, () => Promise<void>][] = [
      [
        AUTH,
        async () => {
          this.#may = AUTH in components ? deviceGroups(components[AUTH]?.configuration) : () => false;
          if (AUTH in components) {
            await calls.putCertificateAuthorities((await coreCa(home, this.name)).certificate);
          }
        },
      ],
      [
        BROKER,
        async () => {
          if (AUTH in components && BROKER in components) {
            this.#broker ??= await openLocalBroker({
              identity: await issueServer(await coreCa(home, this.name), ["localhost", "127.0.0.1"]),
              clientCa,
              port: 0,
              may: (...requested) => this.#may(...requested),
              verify: (certificate, thing) => calls.verifyClientDevice(certificate, thing),
              log: (line) => log(`${this.name}: ${line}`),
            });
            return;
          }
          await this.#broker?.close();
          this.#broker = undefined;
        },
      ],
      [
        DETECTOR,
        async () => {
          if (DETECTOR in components && this.#broker !== undefined) {
            await calls.updateConnectivityInfo([
              { id: "127.0.0.1", host: "127.0.0.1", port: this.#broker.port, metadata: "" },
            ]);
          }
        },
      ],
    ];
    for (const [name, step] of steps) {
      this.#errored = name;
      await step().catch((error: unknown) => {
        throw new DeploymentFailed("COMPONENT_ERROR", `${name}: ${messageOf(error)}`);
      });
    }
    this.#errored = undefined;
  }

  /**
   * What a nucleus sends at its start, after a deployment and once a day (aws-greengrass-nucleus,
   * FleetStatusService).
   */
  async #reportHealth(trigger: string): Promise<void> {
    const version = this.#running[NUCLEUS]?.version ?? this.#options.bundle.version;
    const components = Object.entries({ [NUCLEUS]: { version }, ...this.#running }).map(
      ([componentName, one]) => ({
        componentName,
        version: one.version,
        status: componentName === this.#errored ? "ERRORED" : statusWhenWell(componentName),
        isRoot: true,
      }),
    );
    await this.#publish("greengrassv2/health/json", {
      ggcVersion: version,
      platform: "linux",
      architecture: process.arch === "arm64" ? "aarch64" : "amd64",
      runtime: "aws_nucleus_classic",
      thing: this.name,
      sequenceNumber: ++this.#sequence,
      timestamp: Date.now(),
      messageType: "COMPLETE",
      trigger,
      overallDeviceStatus: this.#errored === undefined ? "HEALTHY" : "UNHEALTHY",
      components,
    });
  }

  async #publish(topic: string, payload: object): Promise<void> {
    if (this.#closed || this.#client?.connected !== true) {
      throw new Error(`not connected any more, ${topic} is not sent`);
    }
    await this.#orClosed(
      this.#client.publishAsync(`$aws/things/${this.name}/${topic}`, JSON.stringify(payload), { qos: 1 }),
      topic,
    );
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
