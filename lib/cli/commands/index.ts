import type { Command } from "../command.ts";

/** A command as the list of commands needs it. Its file is loaded when it is asked for: it brings much along. */
export interface CommandEntry {
  /** What it takes besides options, e.g. "[TARGET…]"; empty for a command that takes none. */
  readonly takes: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** The commands in the order of the help: each is a file of its own. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  build: {
    takes: "[TARGET…]",
    summary: "make the targets and all that they need (default: everything)",
    load: async () => (await import("./build.ts")).build,
  },
  watch: {
    takes: "[TARGET…]",
    summary: "build again on every save; never applies an effect",
    load: async () => (await import("./watch.ts")).watch,
  },
  status: {
    takes: "[TARGET…]",
    summary: "fresh, stale or unknown; changes nothing",
    load: async () => (await import("./status.ts")).status,
  },
  why: {
    takes: "TARGET…",
    summary: "what changed, for the targets and all that they need",
    load: async () => (await import("./why.ts")).why,
  },
  list: {
    takes: "",
    summary: "the groups and targets that can be named",
    load: async () => (await import("./list.ts")).list,
  },
  settings: {
    takes: "",
    summary: "every setting with its value and where it stands; or what differs between environments",
    load: async () => (await import("./settings.ts")).settings,
  },
  clean: {
    takes: "[TARGET…]",
    summary: "remove built files; never keys, Terraform state or settings",
    load: async () => (await import("./clean.ts")).clean,
  },
  request: {
    takes: "[CORE…]",
    summary: "have keys made on the devices of cores with key = device, and fetch the certificate requests",
    load: async () => (await import("./request.ts")).request,
  },
  rotate: {
    takes: "NAME",
    summary: "give a core or thing a new key and certificate; run again, end the old ones",
    load: async () => (await import("./rotate.ts")).rotate,
  },
  push: {
    takes: "[CORE…]",
    summary: "copy bundles to their devices over ssh, and install them there",
    load: async () => (await import("./push.ts")).push,
  },
  deploy: {
    takes: "",
    summary: "build the deployments and wait for each core's result",
    load: async () => (await import("./deploy.ts")).deploy,
  },
  check: {
    takes: "[NAME…]",
    summary: "test the chain from a core's service to a message received; name the first broken link",
    load: async () => (await import("./check.ts")).check,
  },
  inventory: {
    takes: "",
    summary: "what exists in the account, and what may cost money",
    load: async () => (await import("./inventory.ts")).inventory,
  },
  sandbox: {
    takes: "",
    summary: "run the embedded account with IoT Core, discovery and simulated cores, until Ctrl-C",
    load: async () => (await import("./sandbox.ts")).sandbox,
  },
  "move-state": {
    takes: "",
    summary: "move Terraform's local states to S3, where the settings now name it",
    load: async () => (await import("./move-state.ts")).moveState,
  },
  destroy: {
    takes: "[NAME…]",
    summary: "take everything out of the account again, in reverse order; or only these cores and things",
    load: async () => (await import("./destroy.ts")).destroy,
  },
};
