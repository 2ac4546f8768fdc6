import { archive, file, manifest, rule, type FileValue, type Rule, type Step } from "dospesos";

/** A file of a bundle: the rule that makes it, and the permissions that it has on the device. */
export interface BundleMember {
  readonly made: Rule;
  readonly mode: number;
}

export const PRIVATE = 0o600;
export const READABLE = 0o644;
export const RUNNABLE = 0o755;

/** A file of a bundle as it is elsewhere in the project. */
export function copied(from: string, to: string, mode: number): BundleMember {
  return {
    made: rule({ target: to, mode, needs: { from: file(from) }, recipe: ({ from }) => from.bytes }),
    mode,
  };
}

/** A script for a device: a rendered head with its values, then a plain script without its first line. */
export function headed(head: string, script: string): string {
  return head + script.slice(script.indexOf("\n"));
}

/** In the sandbox a bundle also holds the CA that its certificate verifies against. */
export function sandboxCa(folder: string, ca: Step<{ readonly pem: string }> | undefined): BundleMember[] {
  if (ca === undefined) {
    return [];
  }
  return [
    {
      made: rule({
        target: `${folder}/SandboxCA.pem`,
        mode: READABLE,
        needs: { ca },
        recipe: ({ ca }) => ca.pem,
      }),
      mode: READABLE,
    },
  ];
}

/** A folder's MANIFEST, and the archive of all, which is beside the folder: `<folder>.tar.gz`. */
export function sealed(folder: string, members: readonly BundleMember[]): Rule {
  const files = members.map((member) => member.made);
  const listed = rule({
    target: `${folder}/MANIFEST`,
    mode: READABLE,
    needs: { files },
    recipe: ({ files }) => manifest(files.map(entry)),
  });
  return rule({
    target: `${folder}.tar.gz`,
    mode: PRIVATE,
    needs: { files, listed },
    recipe: ({ files, listed }) =>
      archive(folder.slice(folder.lastIndexOf("/") + 1), [
        ...files.map((one, index) => ({ ...entry(one), mode: members[index]!.mode })),
        { ...entry(listed), mode: READABLE },
      ]),
  });
}

function entry({ path, bytes }: FileValue): { name: string; bytes: Uint8Array } {
  return { name: path.slice(path.lastIndexOf("/") + 1), bytes };
}
