// AWS is eventually consistent (D6): what was detached counts as attached for a while, and a deletion is refused.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { deleteCertificate } from "../../lib/aws/certificates.ts";
import { awsAccess } from "../../lib/aws/clients.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import { Started, type Ended } from "../support/bin.ts";
import { testWithProvider } from "../support/terraform.ts";
import { inRealAccount, standIn, type Refusal } from "./real-account.ts";
import { terraformClone } from "./rig.ts";

/** Refuses deletions as documented, for some milliseconds after something was detached. Gives what was refused. */
function lagging(milliseconds: number) {
  let until = 0;
  const refused: string[] = [];
  const refuse = (method: string, path: string): Refusal | undefined => {
    if (method === "DELETE" && /\/principals|principal-policies/.test(path)) {
      until = Date.now() + milliseconds;
      return undefined;
    }
    const [, kind] = (method === "DELETE" && /^\/(things|certificates)\/[^/?]+/.exec(path)) || [];
    if (kind === undefined || Date.now() > until) {
      return undefined;
    }
    refused.push(kind);
    return kind === "things"
      ? {
          status: 400,
          type: "InvalidRequestException",
          message: "Cannot delete. Thing is still attached to one or more principals",
        }
      : {
          status: 409,
          type: "DeleteConflictException",
          message: "Things must be detached before deletion",
        };
  };
  return { refuse, refused };
}

test("a certificate that counts as attached for a while is deleted in the end", async () => {
  const { refuse, refused } = lagging(1500);
  const account = await standIn({ refuse });
  Object.assign(process.env, account.environment);
  const access = awsAccess({ region: "eu-west-1" });
  try {
    const { CreateCertificateFromCsrCommand, CreateThingCommand, AttachThingPrincipalCommand } =
      await import("@aws-sdk/client-iot");
    const iot = await access.iot();
    await iot.send(new CreateThingCommand({ thingName: "t" }));
    const { certificateArn: principal, certificateId } = await iot.send(
      new CreateCertificateFromCsrCommand({
        certificateSigningRequest: await createCsr(createKey(), "t"),
        setAsActive: true,
      }),
    );
    await iot.send(new AttachThingPrincipalCommand({ thingName: "t", principal }));
    await deleteCertificate(access, certificateId!);
    assert.ok(refused.length > 0);
  } finally {
    access.close();
    await account.close();
  }
});

testWithProvider(
  test,
  "destroy ends in one run though AWS refuses for seconds",
  async (mirror) => {
    const { refuse, refused } = lagging(3000);
    const account = await standIn({ refuse });
    const clone = terraformClone(mirror, "");
    clone.edit("settings.ini", inRealAccount);
    const env = { ...clone.environment, ...account.environment };
    const bin = clone.path("lib/cli/bin.cjs");
    const run = (...words: string[]): Promise<Ended> =>
      new Started(clone.root, process.execPath, [bin, ...words], { env }).end(240_000);
    try {
      const built = await run("build", "--yes", "terraform/state/effects/thing/thing-1.json");
      assert.is(built.exit, 0, built.stderr);
      const command = `${process.execPath} ${bin} destroy thing-1`;
      const terminal = new Started(clone.root, "script", ["-qec", command, "/dev/null"], {
        env,
        stdio: ["pipe", "pipe", "pipe"],
      });
      await terminal.tells(/to destroy all of this:/, 0, 120_000);
      terminal.child.stdin!.write("thing-1\n");
      const destroyed = await terminal.end(240_000);
      assert.is(destroyed.exit, 0, destroyed.stdout);
      assert.ok(refused.length > 0, "AWS refused something");
      assert.match(destroyed.stdout, /thing thing-1: AWS has not seen all of it yet .*; again in 1 s/);
      const { exit, stdout } = await run("inventory", "--json");
      assert.is(exit, 0);
      assert.not.match(stdout, '"thing-1"');
    } finally {
      await account.close();
    }
  },
  ["script"],
);

test.run();
