import type { Command } from "../command.ts";

/** The commands in the order of the help: each is a file of its own, loaded when it is asked for. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  build: async () => (await import("./build.ts")).build,
  watch: async () => (await import("./watch.ts")).watch,
  status: async () => (await import("./status.ts")).status,
  why: async () => (await import("./why.ts")).why,
  list: async () => (await import("./list.ts")).list,
  clean: async () => (await import("./clean.ts")).clean,
  request: async () => (await import("./request.ts")).request,
  push: async () => (await import("./push.ts")).push,
  deploy: async () => (await import("./deploy.ts")).deploy,
  check: async () => (await import("./check.ts")).check,
  inventory: async () => (await import("./inventory.ts")).inventory,
  sandbox: async () => (await import("./sandbox.ts")).sandbox,
  "move-state": async () => (await import("./move-state.ts")).moveState,
  destroy: async () => (await import("./destroy.ts")).destroy,
};
