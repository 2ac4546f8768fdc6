/** What is reported of the account: by inventory, destroy, move-state, sandbox and --verify. */

/** status --verify, build --verify: one way in which the account differs from what was applied. */
export interface DriftFound {
  readonly type: "drift";
  readonly effect: string;
  readonly address: string;
  readonly what: string;
}

/** status --verify, build --verify: the counts. */
export interface VerifySummary {
  readonly type: "verify-summary";
  readonly compared: number;
  readonly drifted: number;
}

/** build, inventory, destroy: what another account, region or instance name of the project still has. */
export interface Elsewhere {
  readonly type: "elsewhere";
  /** e.g. "account 111122223333, eu-west-1, instance dospesos". */
  readonly world: string;
  /** The names of its effects, e.g. "core core-1". */
  readonly effects: readonly string[];
  /** The settings that lead there, e.g. "[aws] region = eu-west-1". */
  readonly settings: string;
}

/** inventory: a thing of the instance. */
export interface ListedThing {
  readonly type: "thing";
  readonly kind: "core" | "thing";
  readonly name: string;
  /** Of a core device: as AWS names it (HEALTHY, UNHEALTHY). */
  readonly status?: string;
  /** The states of its certificates, e.g. ["ACTIVE"]; of many things they are not asked for. */
  readonly certificates?: readonly string[];
  readonly connected?: string;
  /** Whether the settings still name it. */
  readonly declared: boolean;
  /** One of many that are as they should be: only the sum is shown to a person. */
  readonly brief?: boolean;
}

/** inventory: a core device that the instance did not make. */
export interface OtherCore {
  readonly type: "other-core";
  readonly name: string;
  readonly status: string;
}

/** inventory: what may cost money. */
export interface Cost {
  readonly type: "cost";
  readonly resource: string;
  readonly when: string;
}

/** inventory: the counts. */
export interface InventorySummary {
  readonly type: "inventory-summary";
  readonly instance: string;
  readonly things: number;
  /** Of these, core devices by their state, e.g. {"HEALTHY":12}; of a core that never reported "never reported". */
  readonly cores: Readonly<Record<string, number>>;
  /** In the account, and no longer in the settings. */
  readonly undeclared: readonly string[];
}

/** sandbox: it answers. */
export interface SandboxListening {
  readonly type: "sandbox-listening";
  /** AWS's APIs. */
  readonly endpoint: string;
  /** MQTT with mutual TLS, as IoT Core. */
  readonly iot: string;
  /** Greengrass discovery. */
  readonly discovery: string;
  /** The line of /etc/hosts by which real devices find the sandbox; null where none is meant. */
  readonly hosts: string | null;
  /** The address, beside 127.0.0.1, on which it can be reached from other machines. */
  readonly bind: string | null;
}

/** sandbox: it has ended. */
export interface SandboxEnded {
  readonly type: "sandbox-ended";
}

/** sandbox: what a simulated core does. */
export interface SandboxLog {
  readonly type: "sandbox-log";
  readonly what: string;
}

/** move-state: one state lies in S3 now. */
export interface StateMoved {
  readonly type: "state-moved";
  readonly module: string;
  readonly name: string;
  readonly bucket: string;
}

/** move-state: the counts. */
export interface StateMovedSummary {
  readonly type: "state-moved-summary";
  readonly moved: number;
}

/** destroy: an effect was undone, and its marker is gone. */
export interface Destroyed {
  readonly type: "destroyed";
  readonly effect: string;
}

/** destroy: what it did not take away. */
export interface LeftBehind {
  readonly type: "left";
  /** A file, an effect, a bucket. */
  readonly name: string;
  readonly what: string;
}
