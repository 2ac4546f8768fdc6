import { join } from "node:path";
import * as assert from "uvu/assert";
import { awsAccess, type AwsAccess } from "../../lib/aws/clients.ts";
import { openSandbox, type Sandbox } from "../../lib/sandbox/server.ts";
import { tempFolder } from "../support/temp.ts";

export const REGION = "eu-west-1";

export interface Rig {
  readonly file: string;
  readonly sandbox: Sandbox;
  readonly access: AwsAccess;
}

/** Runs the body against a sandbox, by default a new one in a folder of its own, and closes it. */
export async function withSandbox<T>(body: (rig: Rig) => Promise<T>, file = newFile()): Promise<T> {
  const sandbox = await openSandbox({ file, region: REGION });
  const access = awsAccess({ region: REGION, endpoint: sandbox.endpoint });
  try {
    return await body({ file, sandbox, access });
  } finally {
    access.close();
    await sandbox.close();
  }
}

function newFile(): string {
  return join(tempFolder("sandbox"), "sandbox", "account.json");
}

/** The error that the work ends with. */
export async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) {
      return error;
    }
    throw error;
  }
  throw new Error("no error was thrown");
}

/** Checks that the work ends with an error of that class. */
export async function refused(work: Promise<unknown>, kind: new (...args: never[]) => Error): Promise<void> {
  assert.instance(await failure(work), kind);
}

/** A policy document that allows one action. */
export function policy(action: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
  });
}
