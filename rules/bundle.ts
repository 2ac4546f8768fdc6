import {
  archive,
  archiveOf,
  manifest,
  rule,
  type Content,
  type Context,
  type FileValue,
  type Needs,
  type Step,
  type ValuesOf,
} from "dospesos";

/** A file of a bundle: the permissions that it has on the device, and what is in it. */
export interface BundleMember<N extends Needs> {
  readonly mode: number;
  readonly content: (needs: ValuesOf<N>, context: Context) => Content | Promise<Content>;
}

export const PRIVATE = 0o600;
export const READABLE = 0o644;
export const RUNNABLE = 0o755;

export interface BundleSpec<N extends Needs> {
  /** Relative to the root; the archive is beside it: `<folder>.tar.gz`. */
  readonly folder: string;
  readonly needs: N;
  /** By name. */
  readonly members: Readonly<Record<string, BundleMember<N>>>;
  /** A fleet's bundles are made when they are asked for. */
  readonly onDemand: boolean;
}

/**
 * A folder that goes to a device, its MANIFEST, and the archive of all: one step. A file that comes out as it was keeps
 * its time.
 */
export function bundleRule<const N extends Needs>({
  folder,
  needs,
  members,
  onDemand,
}: BundleSpec<N>): Step<Readonly<Record<string, FileValue>>> {
  const names = Object.keys(members);
  const targets = Object.fromEntries([
    ["archive", { path: archiveOf(folder), mode: PRIVATE }],
    ...names.map((name) => [name, { path: `${folder}/${name}`, mode: members[name]!.mode }] as const),
    // Last: a folder with a MANIFEST is whole.
    ["MANIFEST", { path: `${folder}/MANIFEST`, mode: READABLE }],
  ]);
  return rule({
    targets,
    needs,
    onDemand,
    recipe: async (values, context) => {
      const files = [];
      for (const name of names) {
        const { mode, content } = members[name]!;
        const made = await content(values, context);
        const bytes = typeof made === "string" ? Buffer.from(made) : made;
        files.push({ name, mode, bytes });
      }
      const listed = { name: "MANIFEST", mode: READABLE, bytes: Buffer.from(manifest(files)) };
      const whole = [...files, listed];
      return {
        archive: await archive(folder.slice(folder.lastIndexOf("/") + 1), whole),
        ...Object.fromEntries(whole.map(({ name, bytes }) => [name, bytes])),
      };
    },
  });
}

/** A script for a device: a rendered head with its values, then a plain script without its first line. */
export function headed(head: string, script: string): string {
  return head + script.slice(script.indexOf("\n"));
}
