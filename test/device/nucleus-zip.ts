import { zip } from "./zip.ts";

/**
 * The files of a nucleus zip, with something of a size in it that looks like random bytes and is always the
 * same.
 */
export function nucleusFiles(version = "2.16.0"): Record<string, string> {
  let state = 1;
  const noise = Array.from({ length: 20_000 }, () =>
    String.fromCharCode(32 + ((state = (state * 48_271) % 2_147_483_647) % 95)),
  ).join("");
  return {
    LICENSE: "Apache-2.0\n",
    "bin/loader": "#!/bin/sh\n",
    "bin/greengrass.service.template": "[Unit]\n",
    "conf/recipe.yaml": `---\nComponentName: aws.greengrass.Nucleus\nComponentVersion: '${version}'\n`,
    "lib/Greengrass.jar": noise,
  };
}

export const plainZip = (version?: string): Uint8Array => zip(nucleusFiles(version));
