import type { SourceLocation } from "../problem/index.ts";

/** A device as the user's own ssh finds it. Port, key and jump host are in the user's ssh configuration. */
export interface Device {
  /** `[user@]host` or an alias, as [core NAME] host takes it. */
  readonly host: string;
  /** Where the host was written. */
  readonly location?: SourceLocation | undefined;
  /** Whether ssh and sudo may ask at the terminal; never while there are several devices. */
  readonly interactive: boolean;
  readonly signal: AbortSignal;
  /** The socket of a connection that is there already: see connected(). */
  readonly control?: string;
}
