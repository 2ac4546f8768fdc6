/** The file by which a folder of AWS's Greengrass Development Kit is known. */
export const GDK_CONFIG = "gdk-config.json";

export interface FolderFile {
  /** Relative to the component's folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
}
