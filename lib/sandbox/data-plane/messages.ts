/** A document on a topic. */
export interface Note {
  readonly topic: string;
  readonly document: object;
}

/** What comes of a message on a reserved topic. */
export interface Outcome {
  /** For the client that sent it. */
  readonly answers?: readonly Note[];
  /** For whoever subscribed. */
  readonly notices?: readonly Note[];
  /** Whether the account changed. */
  readonly changed?: boolean;
}

export interface Message {
  readonly topic: string;
  readonly text: string;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The JSON object in a message; undefined where it holds none. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The token of the asker's own, which comes back with the answer. */
export function tokenOf(said: Readonly<Record<string, unknown>> | undefined): { clientToken?: string } {
  return typeof said?.clientToken === "string" ? { clientToken: said.clientToken } : {};
}
