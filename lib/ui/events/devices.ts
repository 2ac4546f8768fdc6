/** What push, request, deploy and check report of devices. */

/** push: the cores that it goes on with. */
export interface PushBegin {
  readonly type: "push-begin";
  readonly cores: readonly string[];
}

/** push: how far one core is, or how it ended. */
export interface Push {
  readonly type: "push";
  readonly core: string;
  readonly host: string;
  readonly status: "running" | "done" | "failed";
  readonly what: string;
}

/** push: the counts. */
export interface PushSummary {
  readonly type: "push-summary";
  readonly done: number;
  readonly failed: number;
  /** Not begun, since too many others failed. */
  readonly left: number;
}

/** deploy: the counts, of all groups that were deployed to. */
export interface DeploymentSummary {
  readonly type: "deployment-summary";
  readonly succeeded: number;
  readonly failed: number;
  /** Never connected: the deployment waits for them. */
  readonly offline: number;
}

/** push --status: which bundle a device has. */
export interface PushState {
  readonly type: "push-state";
  readonly core: string;
  readonly group: string;
  readonly host: string;
  /** `older`: another bundle than the one that is here now. */
  readonly state: "current" | "older" | "failed" | "never";
  /** When it was pushed last, in milliseconds since 1970. */
  readonly at?: number;
  readonly why?: string;
}

/** push --status: the counts. */
export interface PushStateSummary {
  readonly type: "push-state-summary";
  readonly current: number;
  readonly older: number;
  readonly failed: number;
  readonly never: number;
}

/** request: the certificate signing request of one core is here. */
export interface Request {
  readonly type: "request";
  readonly core: string;
  /** `unchanged`: for the same key as before, so the file was left as it is. */
  readonly status: "new" | "unchanged";
}

/** request: the counts. */
export interface RequestSummary {
  readonly type: "request-summary";
  readonly fetched: number;
  readonly failed: number;
}

/** rotate: how far the rotation of one identity is. */
export interface Rotation {
  readonly type: "rotation";
  /** The core or thing. */
  readonly name: string;
  /**
   * `begun`: the new bundle is to be installed, then rotate to be run again; `old`: the device still needs its old
   * certificate; `offline`: it is not connected, so nothing can be seen; `ended`: the old certificate is deleted.
   */
  readonly status: "begun" | "old" | "offline" | "ended";
  /** The bundle or kit with the new key. */
  readonly archive: string;
}

/** deploy: the state of a core's deployment, when it changes. */
export interface DeploymentStatus {
  readonly type: "deployment";
  readonly core: string;
  readonly deployment: string;
  /**
   * `offline`: the core never connected, and gets the deployment when it does; `timeout`: it has not ended in
   * time.
   */
  readonly outcome: "pending" | "offline" | "succeeded" | "failed" | "timeout";
  /** As AWS names it (EffectiveDeploymentExecutionStatus); none as long as AWS knows of none. */
  readonly status?: string;
  readonly reason?: string;
}

/** One link of the chain that check follows. */
export interface CheckedLink {
  readonly link: string;
  readonly state: "ok" | "broken" | "unchecked";
  readonly what: string;
  readonly cause?: string;
  readonly fix?: string;
}

/** check: the chain of a core or a thing, no further than its first broken link. */
export interface Checked {
  readonly type: "check";
  readonly kind: "core" | "thing";
  readonly name: string;
  /** The first broken link. */
  readonly broken: string | null;
  readonly links: readonly CheckedLink[];
  /** One of many, and nothing is broken: only the sum is shown to a person. */
  readonly brief?: boolean;
}

/** check: a thing that was not checked, since its core is broken. */
export interface CheckSkipped {
  readonly type: "check-skipped";
  readonly kind: "thing";
  readonly name: string;
  readonly core: string;
}

/** check: the result. */
export interface CheckSummary {
  readonly type: "check-summary";
  readonly cores: number;
  readonly brokenCores: number;
  readonly things: number;
  readonly brokenThings: number;
  /** Things whose core is broken. */
  readonly skipped: number;
  readonly passed: boolean;
}
