import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { awsAccess, type AwsAccess } from "../../lib/aws/clients.ts";
import { Started } from "./bin.ts";
import { freshClone, type Clone } from "./clone.ts";

/**
 * A clone that is built, and its sandbox, which runs with a simulated core until it is stopped or the test
 * process ends.
 */
export interface Devices {
  readonly clone: Clone;
  readonly sandbox: Started;
  readonly access: AwsAccess;
  /** Where the data plane is. */
  readonly ports: { readonly iot: number; readonly discovery: number };
  /** Resolves when the sandbox tells it, counted from what it had told when `from` was taken. */
  tells: (what: RegExp, from: number) => Promise<void>;
  path: (file: string) => string;
  /** Runs the body while no core is simulated: without its manifest a bundle is not whole. */
  withoutCore: (body: () => Promise<void> | void) => Promise<void>;
  stop: () => void;
}

/** Builds a fresh clone, starts `dospesos sandbox`, and waits until core-1 has its deployment. */
export async function runningDevices(): Promise<Devices> {
  const clone = freshClone();
  const built = clone.dospesos("build");
  if (built.exit !== 0) {
    throw new Error(built.stderr);
  }
  const sandbox = new Started(clone.root, process.execPath, [join(clone.root, "lib/cli/bin.cjs"), "sandbox"]);
  await sandbox.tells(/core-1 has deployment/, 0, 20_000);
  await sandbox.tells(/the sandbox runs/, 0, 20_000);
  const record = JSON.parse(
    readFileSync(join(clone.root, "terraform/state/sandbox/data-plane.json"), "utf8"),
  ) as { endpoint: string; iot: { port: number }; discovery: { port: number } };
  const access = awsAccess({ region: "eu-west-1", endpoint: record.endpoint });
  const tells = (what: RegExp, from: number): Promise<void> => sandbox.tells(what, from, 20_000);
  return {
    clone,
    sandbox,
    access,
    ports: { iot: record.iot.port, discovery: record.discovery.port },
    tells,
    async withoutCore(body) {
      const manifest = join(clone.root, "edge/out/core-1/MANIFEST");
      let from = sandbox.told.length;
      renameSync(manifest, `${manifest}.away`);
      await tells(/cores that run: none/, from);
      try {
        await body();
      } finally {
        from = sandbox.told.length;
        renameSync(`${manifest}.away`, manifest);
        await tells(/core-1 is connected/, from);
      }
    },
    path: (file) => join(clone.root, file),
    stop() {
      access.close();
      sandbox.kill("SIGTERM");
    },
  };
}
