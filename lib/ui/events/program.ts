/** What every command reports, whatever it does. */

/** The end of every command. */
export interface Exit {
  readonly type: "exit";
  readonly command: string;
  /** The exit code of the process. */
  readonly exit: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** help, --help. */
export interface Help {
  readonly type: "help";
  readonly text: string;
}

/** --version. */
export interface Version {
  readonly type: "version";
  readonly version: string;
}
