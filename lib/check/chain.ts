/** The links of the chain from a core's service to a message received, in their order. */
export const LINKS = [
  "service active",
  "MQTT connected",
  "healthy and fresh",
  "deployment succeeded",
  "thing discovers its core",
  "message received",
] as const;
export type LinkName = (typeof LINKS)[number];

/** What was seen of a link. `unchecked` is no fault: there was no way to look. */
export interface Link {
  readonly link: LinkName;
  readonly state: "ok" | "broken" | "unchecked";
  /** What was seen, in one clause. */
  readonly what: string;
  /** The likely cause, where it is broken. */
  readonly cause?: string;
  readonly fix?: string;
}

export function ok(link: LinkName, what: string): Link {
  return { link, state: "ok", what };
}

export function unchecked(link: LinkName, what: string, fix?: string): Link {
  return { link, state: "unchecked", what, ...(fix === undefined ? {} : { fix }) };
}

export function broken(link: LinkName, what: string, { cause, fix }: Cause): Link {
  return { link, state: "broken", what, cause, fix };
}

/** Why a link is broken, as far as one can see, and what to do. */
export interface Cause {
  readonly cause: string;
  readonly fix: string;
}

/** Looks at one link after the other, and no further than the first that is broken. */
export async function inOrder(links: readonly (() => Promise<Link>)[]): Promise<Link[]> {
  const seen: Link[] = [];
  for (const look of links) {
    const link = await look();
    seen.push(link);
    if (link.state === "broken") {
      break;
    }
  }
  return seen;
}
