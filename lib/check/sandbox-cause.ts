import { observations } from "../account/data-plane.ts";
import type { Account } from "../account/account.ts";
import type { Cause } from "./chain.ts";

type Observation = Awaited<ReturnType<typeof observations>>[number];

/** Seconds that an observation counts for. */
const LATELY = 300;
/** One cut may be a restart; a second one within this many seconds is none, unless there was peace since. */
const FIGHT = 60;
const PEACE = 15;

const CUT = /^(takes over|is cut off)/;

/** What to do about what the sandbox saw. */
const FIXES: readonly (readonly [RegExp, string])[] = [
  [/^takes over/, "end the other one: a second Greengrass, or a client with the core's certificate and id"],
  [
    /does not trust/,
    "dospesos build, then bring the bundle to the device: its SandboxCA.pem is this sandbox's",
  ],
  [/not of this account's CA|not registered/, "dospesos build, then bring the new bundle to the device"],
  [/speaks MQTT/, "use a client of MQTT 3.1.1 or 5"],
];

/**
 * Why a core cannot connect, or does not stay connected, as the sandbox saw it. Undefined in a real account, and where
 * it saw nothing. A client that did not get as far as a name counts where nobody with the core's name was seen.
 */
export async function observedCause({ endpoint }: Account, name: string): Promise<Cause | undefined> {
  const seen = await lately(endpoint);
  return causeOf(
    seen.filter(({ who }) => who === name).at(-1) ?? seen.filter(({ who }) => who === undefined).at(-1),
  );
}

/** Why a core that is connected is cut off again and again. */
export async function fightCause({ endpoint }: Account, name: string): Promise<Cause | undefined> {
  const since = Date.now() / 1000 - FIGHT;
  const cuts = (await lately(endpoint)).filter(
    ({ who, at, what }) => who === name && at >= since && CUT.test(what),
  );
  const last = cuts.at(-1);
  return last === undefined || cuts.length < 2 || last.at < Date.now() / 1000 - PEACE
    ? undefined
    : causeOf(last);
}

async function lately(endpoint: string | undefined): Promise<readonly Observation[]> {
  if (endpoint === undefined) {
    return [];
  }
  const since = Date.now() / 1000 - LATELY;
  return (await observations(endpoint)).filter(({ at }) => at >= since);
}

function causeOf(seen: Observation | undefined): Cause | undefined {
  if (seen === undefined) {
    return undefined;
  }
  const { who = "a client", from, what } = seen;
  return {
    cause: `${who} (${from}) ${what}`,
    fix: FIXES.find(([pattern]) => pattern.test(what))?.[1] ?? "see the output of dospesos sandbox",
  };
}
