/**
 * Where things are in a project, relative to its root. Rules make these files and lib finds them again (push, check,
 * request, the sandbox), so their names are declared once, here.
 */

/** All that is built for devices. */
export const OUTPUT_FOLDER = "edge/out";
/** Private keys and requests for certificates: never built anew, never removed by clean. */
export const KEYS_FOLDER = "edge/keys";

/** What goes to a core's device; its archive is beside it. */
export function bundleFolder(core: string): string {
  return `${OUTPUT_FOLDER}/${core}`;
}

/** The certificate, key and programs of a thing; its archive is beside it. */
export function kitFolder(thing: string): string {
  return `${OUTPUT_FOLDER}/things/${thing}`;
}

/** The archive of a bundle's or kit's folder. */
export function archiveOf(folder: string): string {
  return `${folder}.tar.gz`;
}

/** The private key of a core or thing that is made on the laptop. */
export function privateKeyFile(name: string): string {
  return `${KEYS_FOLDER}/${name}/private.pem.key`;
}

/** Its request for a certificate. */
export function requestFile(name: string): string {
  return `${KEYS_FOLDER}/${name}/request.pem.csr`;
}

/** The request of a core that has made its own key, as it came from the device. */
export function deviceRequestFile(core: string): string {
  return `${KEYS_FOLDER}/${core}/device.pem.csr`;
}

/** While an identity is rotated: the key that is to follow, if it is made on the laptop. */
export function nextKeyFile(name: string): string {
  return `${KEYS_FOLDER}/${name}/next.pem.key`;
}

/** Its request for a certificate. As long as it is there, the identity is being rotated. */
export function nextRequestFile(name: string): string {
  return `${KEYS_FOLDER}/${name}/next.pem.csr`;
}

/** AWS's zip of one version of the nucleus. */
export function nucleusFile(version: string): string {
  return `edge/nucleus/greengrass-${version}.zip`;
}

/** The rendered variables of a Terraform module. */
export function variablesFile(module: string, name: string): string {
  return `terraform/${module}/${name}.tfvars.json`;
}
