import { issueServer } from "../../pki/ca.ts";
import type { CoreCalls } from "../data-plane/core-calls.ts";
import { NAMESPACE } from "../data-plane/jobs.ts";
import type { TlsPort } from "../data-plane/tls-port.ts";
import { DEPLOYMENT_SHADOW } from "../greengrass/thing-deployments.ts";
import type { CoreBundle } from "./bundle.ts";
import {
  AUTH,
  BROKER,
  DeploymentFailed,
  DETECTOR,
  keepRunning,
  messageIn,
  messageOf,
  NUCLEUS,
  readRunning,
  runningAfter,
  type FleetConfiguration,
  type Job,
  type Running,
} from "./components.ts";
import { coreCa } from "./core-ca.ts";
import { CoreConnection } from "./core-connection.ts";
import { dataPlaneClient, type DataPlaneClient } from "./data-plane-client.ts";
import { deviceGroups, type MayDevice } from "./device-groups.ts";
import { openLocalBroker } from "./local-broker.ts";
import { healthReport, jobFailure, shadowStatus } from "./reports.ts";
import { resolveComponents } from "./resolution.ts";

export interface SimulatedCoreOptions {
  readonly bundle: CoreBundle;
  /** Where this core keeps its CA and what was deployed to it. */
  readonly home: string;
  readonly region: string;
  /** The ports of IoT Core and of the HTTPS data plane on the loopback interface. */
  readonly ports: { readonly iot: number; readonly https: number };
  /** PEM of the CA that client devices' certificates come from. */
  readonly clientCa: string;
  readonly calls: CoreCalls;
  readonly log: (line: string) => void;
}

/**
 * A core device without a device: it speaks to the account as the classic nucleus does, with its bundle's
 * certificate, takes deployments, reports its health, and serves its client devices once a deployment brings the
 * components for that. It does not run the code of components.
 */
export class SimulatedCore {
  readonly #options: SimulatedCoreOptions;
  readonly #connection: CoreConnection;
  readonly #dataPlane: DataPlaneClient;
  #broker: TlsPort | undefined;
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
    const { bundle, ports, region, log } = options;
    this.#options = options;
    this.#dataPlane = dataPlaneClient(bundle, ports.https, region);
    this.#connection = new CoreConnection({
      bundle,
      port: ports.iot,
      log,
      onConnect: () => this.#after(() => this.#connected()),
      onClose: () => this.#settle(),
      onMessage: (topic, text) => this.#received(topic, text),
    });
  }

  get name(): string {
    return this.#options.bundle.name;
  }

  /** Begins to connect; whether it gets there, the account tells. */
  async start(): Promise<void> {
    await this.#connection.open();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settle();
    await this.#connection.close();
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

  #topic(rest: string): string {
    return `$aws/things/${this.name}/${rest}`;
  }

  async #connected(): Promise<void> {
    const { name } = this;
    this.#options.log(`${name} is connected`);
    const shadow = `shadow/name/${DEPLOYMENT_SHADOW}`;
    const topics = [
      `jobs/notify-${NAMESPACE}`,
      `jobs/$next/${NAMESPACE}/get/accepted`,
      `jobs/$next/${NAMESPACE}/get/rejected`,
      `jobs/+/${NAMESPACE}/update/accepted`,
      `jobs/+/${NAMESPACE}/update/rejected`,
      `${shadow}/update/accepted`,
      `${shadow}/update/rejected`,
      `${shadow}/get/accepted`,
    ].map((rest) => this.#topic(rest));
    await this.#connection.subscribe(topics, "the subscription to its jobs");
    await this.#reportHealth("NUCLEUS_LAUNCH");
    const before = readRunning(this.#options.home);
    if (before !== undefined) {
      await this.#run(before).catch((error: unknown) => this.#options.log(`${name}: ${messageOf(error)}`));
      await this.#reportHealth("COMPONENT_STATUS_CHANGE");
    }
    await this.#publish(`${shadow}/get`, {});
    await this.#askForJob();
  }

  async #askForJob(): Promise<void> {
    await this.#publish(`jobs/$next/${NAMESPACE}/get`, {});
  }

  #received(topic: string, text: string): void {
    const said = messageIn(text);
    if (said === undefined) {
      this.#options.log(`${this.name}: a message on ${topic} is no JSON object, and is ignored`);
      return;
    }
    if (topic.endsWith("/rejected")) {
      this.#options.log(`${this.name}: ${topic}: ${said.code ?? ""} ${said.message ?? ""}`);
    } else if (topic.includes("/jobs/notify-")) {
      this.#after(() => this.#askForJob());
    } else if (topic.endsWith("/get/accepted") && topic.includes("/jobs/")) {
      this.#takeJob(said.execution);
    } else if (topic.includes(`/${DEPLOYMENT_SHADOW}/`)) {
      this.#takeShadow(said.state?.desired);
    }
  }

  /** A core that has no job has done what waited for it. A job is given each time that it is asked for. */
  #takeJob(job: Job | undefined): void {
    if (job === undefined) {
      return this.#after(async () => this.#settle());
    }
    const key = `${job.jobId} ${job.queuedAt}`;
    if (!this.#taken.has(key)) {
      this.#taken.add(key);
      this.#after(() => this.#carryOut(job));
    }
  }

  async #carryOut({ jobId, jobDocument }: Job): Promise<void> {
    const update = (status: string, statusDetails: object): Promise<void> =>
      this.#publish(`jobs/${jobId}/${NAMESPACE}/update`, { status, statusDetails });
    await update("IN_PROGRESS", {});
    const failure = await this.#deploy(jobDocument, "THING_GROUP_DEPLOYMENT");
    if (this.#closed) {
      return;
    }
    if (failure === undefined) {
      await update("SUCCEEDED", { "detailed-deployment-status": "SUCCESSFUL" });
    } else {
      await update("FAILED", jobFailure(failure));
    }
    await this.#askForJob();
  }

  #takeShadow(desired: { readonly fleetConfig?: string; readonly desiredStatus?: string } | undefined): void {
    const { fleetConfig, desiredStatus } = desired ?? {};
    if (fleetConfig === undefined || desiredStatus !== "IN_PROGRESS" || this.#taken.has(fleetConfig)) {
      return;
    }
    this.#taken.add(fleetConfig);
    this.#after(async () => {
      const document = JSON.parse(fleetConfig) as FleetConfiguration;
      const failure = await this.#deploy(document, "THING_DEPLOYMENT");
      const reported = {
        fleetConfigurationArnForStatus: document.configurationArn,
        ggcVersion: this.#version,
        ...shadowStatus(failure),
      };
      await this.#publish(`shadow/name/${DEPLOYMENT_SHADOW}/update`, { state: { reported } });
    });
  }

  /** Brings up what a deployment names; gives what it failed with. */
  async #deploy(document: FleetConfiguration, trigger: string): Promise<unknown> {
    const { home, log } = this.#options;
    const { deploymentId, components } = document;
    try {
      const resolved = await resolveComponents(this.#dataPlane, components);
      const running = runningAfter(this.#running, components, resolved);
      await this.#run(running);
      keepRunning(home, running);
      await this.#reportHealth(trigger);
      log(`${this.name} has deployment ${deploymentId}`);
      return undefined;
    } catch (error) {
      if (!this.#closed) {
        log(`${this.name}: deployment ${deploymentId} failed: ${messageOf(error)}`);
        await this.#reportHealth(trigger);
      }
      return error;
    }
  }

  /**
   * Brings up what the components are for; new rights take effect at once, for clients that are connected as
   * well.
   */
  async #run(components: Running): Promise<void> {
    this.#running = components;
    const steps: [string, () => Promise<void>][] = [
      [AUTH, () => this.#runAuth(components)],
      [BROKER, () => this.#runBroker(components)],
      [DETECTOR, () => this.#runDetector(components)],
    ];
    for (const [name, step] of steps) {
      this.#errored = name;
      await step().catch((error: unknown) => {
        throw new DeploymentFailed(["COMPONENT_ERROR"], `${name}: ${messageOf(error)}`, ["COMPONENT_ERROR"]);
      });
    }
    this.#errored = undefined;
  }

  async #runAuth(components: Running): Promise<void> {
    const { calls, home } = this.#options;
    this.#may = AUTH in components ? deviceGroups(components[AUTH]?.configuration) : () => false;
    if (AUTH in components) {
      await calls.putCertificateAuthorities((await coreCa(home, this.name)).certificate);
    }
  }

  async #runBroker(components: Running): Promise<void> {
    const { calls, home, clientCa, log } = this.#options;
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
  }

  async #runDetector(components: Running): Promise<void> {
    if (DETECTOR in components && this.#broker !== undefined) {
      await this.#dataPlane.updateConnectivity(this.name, [
        { id: "127.0.0.1", host: "127.0.0.1", port: this.#broker.port, metadata: "" },
      ]);
    }
  }

  get #version(): string {
    return this.#running[NUCLEUS]?.version ?? this.#options.bundle.version;
  }

  async #reportHealth(trigger: string): Promise<void> {
    const report = {
      name: this.name,
      version: this.#version,
      running: this.#running,
      errored: this.#errored,
    };
    await this.#publish(
      "greengrassv2/health/json",
      healthReport({ ...report, sequence: ++this.#sequence, trigger }),
    );
  }

  async #publish(rest: string, document: object): Promise<void> {
    await this.#connection.publish(this.#topic(rest), document);
  }
}
