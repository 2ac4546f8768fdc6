/**
 * Where things are in a project, relative to its root. Rules make these files and lib finds them again (push, check,
 * request, the sandbox), so their names are declared once, here. Each environment has a folder of its own in each of
 * these places.
 */

/** What an environment may be called: it is a part of paths and of file names. */
export const ENVIRONMENT_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/**
 * The environment that this process works for: "prod" reads settings.prod.ini over settings.ini. Empty: settings.ini
 * alone. It is chosen once, before anything is read (`-e NAME`, or DOSPESOS_ENV).
 */
export function environmentName(): string {
  return process.env["DOSPESOS_ENV"] ?? "";
}

/** A folder, or the environment's folder in it. */
function inEnvironment(folder: string): string {
  const name = environmentName();
  return name === "" ? folder : `${folder}/${name}`;
}

/** All that is built for devices. */
export function outputFolder(): string {
  return inEnvironment("edge/out");
}

/** Private keys and requests for certificates: never built anew, never removed by clean. */
export function keysFolder(): string {
  return inEnvironment("edge/keys");
}

/** What the account holds, as far as this project knows: Terraform's states, markers, the sandbox. */
export function accountFolder(): string {
  const name = environmentName();
  return name === "" ? "terraform/state" : `terraform/state/env/${name}`;
}

/** The engine's state, below its folder: "" or "env/prod". */
export function engineFolder(): string {
  const name = environmentName();
  return name === "" ? "" : `env/${name}`;
}

/** What goes to a core's device; its archive is beside it. */
export function bundleFolder(core: string): string {
  return `${outputFolder()}/${core}`;
}

/** The certificate, key and programs of a thing; its archive is beside it. */
export function kitFolder(thing: string): string {
  return `${outputFolder()}/things/${thing}`;
}

/** The archive of a bundle's or kit's folder. */
export function archiveOf(folder: string): string {
  return `${folder}.tar.gz`;
}

/** The private key of a core or thing that is made on the laptop. */
export function privateKeyFile(name: string): string {
  return `${keysFolder()}/${name}/private.pem.key`;
}

/** Its request for a certificate. */
export function requestFile(name: string): string {
  return `${keysFolder()}/${name}/request.pem.csr`;
}

/** The request of a core that has made its own key, as it came from the device. */
export function deviceRequestFile(core: string): string {
  return `${keysFolder()}/${core}/device.pem.csr`;
}

/** While an identity is rotated: the key that is to follow, if it is made on the laptop. */
export function nextKeyFile(name: string): string {
  return `${keysFolder()}/${name}/next.pem.key`;
}

/** Its request for a certificate. As long as it is there, the identity is being rotated. */
export function nextRequestFile(name: string): string {
  return `${keysFolder()}/${name}/next.pem.csr`;
}

/** AWS's zip of one version of the nucleus. */
export function nucleusFile(version: string): string {
  return `${inEnvironment("edge/nucleus")}/greengrass-${version}.zip`;
}

/** The rendered variables of a Terraform module. */
export function variablesFile(module: string, name: string): string {
  return `${inEnvironment(`terraform/${module}`)}/${name}.tfvars.json`;
}

/** Where the embedded account is kept. It stands for what exists in AWS, so no clean removes it. */
export function sandboxFile(): string {
  return `${accountFolder()}/sandbox/account.json`;
}

/** Where a sandbox that runs writes down where it can be reached. */
export function dataPlaneFile(): string {
  return `${accountFolder()}/sandbox/data-plane.json`;
}
