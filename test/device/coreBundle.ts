import { createHash } from "node:crypto";
import { manifest } from "../../lib/device/bundle.ts";
import type { Machine } from "./machine.ts";
import { coreValues, rendered, script, type ValuesChange } from "./templates.ts";
import { zip } from "./zip.ts";

/** A zip as AWS lays it out, with nothing in it that runs. */
export function nucleusZip(version = "2.16.0"): Uint8Array {
  return zip({
    LICENSE: "Apache-2.0\n",
    "bin/loader": "#!/bin/sh\n",
    "bin/greengrass.service.template": "[Unit]\n",
    "conf/recipe.yaml": `---\nComponentName: aws.greengrass.Nucleus\nComponentVersion: '${version}'\n`,
    "lib/Greengrass.jar": "not a jar\n",
  });
}

export interface BundleChange {
  values?: ValuesChange;
  files?: Record<string, string | Uint8Array>;
  zip?: Uint8Array;
}

/** Puts a bundle into /home/pi/core-1 of a machine: `files` replace files before MANIFEST is made. */
export function putBundle(machine: Machine, change: BundleChange = {}): void {
  const nucleus = change.zip ?? nucleusZip();
  const values = coreValues({ sha256: createHash("sha256").update(nucleus).digest("hex"), ...change.values });
  const files: Record<string, string | Uint8Array> = {
    "setup.sh": script("setup.sh", values),
    "uninstall.sh": script("uninstall.sh", values),
    "config.yaml": rendered("core/config.yaml.njk", values),
    "README.txt": rendered("core/README.txt.njk", values),
    "device.pem.crt": "the certificate\n",
    "private.pem.key": "CANARY of the private key\n",
    [values.root_ca]: "the CA\n",
    ...change.files,
  };
  for (const [name, content] of Object.entries(files)) {
    machine.write(`/home/pi/core-1/${name}`, content, 0o600);
  }
  const listed = Object.entries(files).map(([name, content]) => ({ name, bytes: Buffer.from(content) }));
  machine.write("/home/pi/core-1/MANIFEST", manifest(listed), 0o600);
  machine.write("/home/pi/core-1/greengrass-2.16.0.zip", nucleus, 0o600);
}
