/** A file as a recipe gets it: its name, and its content when it is asked for. */
export interface FileValue {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly json: unknown;
}
