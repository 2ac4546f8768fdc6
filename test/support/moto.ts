import { tmpdir } from "node:os";
import { Started } from "./bin.ts";

/** A moto server that answers: https://docs.getmoto.org */
export interface Moto {
  readonly endpoint: string;
  stop: () => Promise<void>;
}

/** `account`: the id of the account that it plays. */
export async function startMoto(account = "123456789012"): Promise<Moto> {
  const server = new Started(tmpdir(), "moto_server", ["-H", "127.0.0.1", "-p", "0"], {
    env: { ...process.env, PYTHONUNBUFFERED: "1", MOTO_ACCOUNT_ID: account },
  });
  await server.tells(/Running on (http:\S+)/, 0, 60_000);
  const [, endpoint = ""] = /Running on (http:\S+)/.exec(server.told) ?? [];
  return {
    endpoint,
    stop: async () => {
      server.kill("SIGKILL");
      await server.end();
    },
  };
}
