// The rights of who runs DosPesos in a real account, by command: docs/permissions.md is what was called (D10).
import { test } from "uvu";
import * as assert from "uvu/assert";
import { traced } from "../../docs/permissions.ts";
import { Started, type Ended } from "../support/bin.ts";
import { testWithProvider } from "../support/terraform.ts";
import { inRealAccount, standIn } from "./real-account.ts";
import { terraformClone } from "./rig.ts";

testWithProvider(
  test,
  "each command calls exactly what docs/permissions.md says",
  async (mirror) => {
    const account = await standIn();
    const clone = terraformClone(mirror, "");
    clone.edit("settings.ini", inRealAccount);
    const env = { ...clone.environment, ...account.environment };
    const bin = clone.path("lib/cli/bin.cjs");
    const called = new Map<string, Set<string>>();
    const during = async (command: string, run: () => Promise<Ended>): Promise<Ended> => {
      account.calls.clear();
      const ended = await run();
      called.set(command, new Set([...(called.get(command) ?? []), ...account.calls]));
      return ended;
    };
    const run = (...words: string[]): Promise<Ended> =>
      during(words[0]!, () =>
        new Started(clone.root, process.execPath, [bin, ...words], { env }).end(240_000),
      );
    try {
      assert.is((await run("build", "--yes")).exit, 0);
      await run("status", "--verify");
      await run("inventory");
      await run("check");
      await run("deploy", "--yes");
      await during("destroy", async () => {
        const terminal = new Started(
          clone.root,
          "script",
          ["-qec", `${process.execPath} ${bin} destroy`, "/dev/null"],
          {
            env,
            stdio: ["pipe", "pipe", "pipe"],
          },
        );
        await terminal.tells(/to destroy all of this:/, 0, 120_000);
        terminal.child.stdin!.write("dospesos\n");
        return await terminal.end(240_000);
      });
      assert.equal(
        Object.fromEntries([...called].map(([command, calls]) => [command, [...calls].sort()])),
        traced,
      );
    } finally {
      await account.close();
    }
  },
  ["script"],
);

test.run();
