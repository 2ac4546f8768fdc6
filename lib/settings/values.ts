import { isIPv6 } from "node:net";
import { didYouMean, shown, visible } from "../problem/index.ts";
import { firstHidden } from "./characters.ts";

/**
 * Why an account is not taken, or undefined. An id has 12 digits, the first of which may be 0 (AWS Account
 * Management).
 */
export function accountFault(account: string): string | undefined {
  if (account === "000000000000") {
    return `account ${shown(account)} is the sandbox's own id; write sandbox`;
  }
  if (account === "sandbox" || /^\d{12}$/.test(account)) {
    return undefined;
  }
  if (/^\d+$/.test(account)) {
    return `account ${shown(account)} has ${account.length} digits, need 12`;
  }
  if (/^[\d -]+$/.test(account)) {
    return `account ${shown(account)} has more than digits in it; write the 12 digits alone`;
  }
  const meant = didYouMean(account, ["sandbox"]) === undefined ? "" : "; did you mean sandbox?";
  return `account ${shown(account)} is neither "sandbox" nor 12 digits${meant}`;
}

/**
 * Why a nucleus version is not taken, or undefined. AWS signs it from 2.9.5 on (Greengrass guide, "manual
 * installation").
 */
export function versionFault(version: string): string | undefined {
  const [, major, minor, patch] =
    /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/.exec(version) ?? [];
  const fault = `version ${shown(version)}: pin a version ≥ 2.9.5 (signed)`;
  if (major === undefined) {
    return fault;
  }
  const least = [2, 9, 5];
  const difference =
    [major, minor, patch].map((part, i) => Number(part) - (least[i] ?? 0)).find((part) => part !== 0) ?? 0;
  return difference < 0 ? fault : undefined;
}

/**
 * Top folders of the operating system, and the ones that are empty after a restart (Filesystem Hierarchy
 * Standard 3.0).
 */
const SYSTEM_FOLDERS: ReadonlySet<string> = new Set([
  "bin",
  "boot",
  "dev",
  "etc",
  "lib",
  "lib32",
  "lib64",
  "libx32",
  "proc",
  "root",
  "run",
  "sbin",
  "sys",
  "tmp",
  "usr",
]);

/** Folders whose children belong to somebody too: people, mounted disks, parts of the system. */
const SHARED_PARENTS: ReadonlySet<string> = new Set(["home", "media", "mnt", "var"]);

/**
 * Why a folder may not be the Greengrass root, or undefined. Only the text is checked: the folder is on the
 * device.
 */
export function rootFault(root: string): string | undefined {
  const dangerous = (reason: string): string =>
    `root ${shown(root)} ${reason}; too dangerous: uninstall deletes this folder`;
  if (!root.startsWith("/")) {
    return dangerous("is not an absolute path");
  }
  const folders = root.slice(1).split("/");
  if (folders.some((folder) => folder === ".." || folder === ".")) {
    return dangerous("has '.' or '..' in it");
  }
  if (root === "/" || folders.length < 2) {
    return dangerous("has less than two levels");
  }
  const [top = ""] = folders;
  if (SYSTEM_FOLDERS.has(top)) {
    return dangerous(`is in the system folder /${top}`);
  }
  if (`${root}/`.startsWith("/var/lib/dospesos/") || `${root}/`.startsWith("/var/lib/dpkg/")) {
    return dangerous("is in a folder of the installer or of the system");
  }
  if (/^\/var\/(?:cache|run|tmp)(?:\/|$)/.test(root)) {
    return dangerous("is in a folder that the system empties");
  }
  if (SHARED_PARENTS.has(top) && folders.length < 3) {
    return dangerous(`is a folder that /${top} shares out; take one below`);
  }
  // the nucleus puts its root between the double quotes of a shell script that runs as root (its recipe,
  // lifecycle bootstrap)
  if (!folders.every((folder) => /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(folder))) {
    return `root ${shown(root)} may have only A-Z a-z 0-9 . _ - between single slashes`;
  }
  return undefined;
}

/**
 * Why `user[:group]` is not taken, or undefined. The names are shaped as useradd accepts them (useradd(8),
 * "caveats").
 */
export function userFault(user: string): string | undefined {
  const names = user.split(":");
  const isShaped = names.length <= 2 && names.every((name) => /^[a-z_][a-z0-9_-]{0,31}$/.test(name));
  if (!isShaped) {
    return `user ${shown(user)} is not user or user:group`;
  }
  return names.includes("root") ? `user ${shown(user)}: components must not run as root` : undefined;
}

/**
 * Why a proxy URL is not taken, or undefined; the URL is not shown where it may hold a password.
 * Schemes: http, https, socks5 (aws-greengrass-nucleus, ProxyUtils).
 */
export function proxyFault(url: string): string | undefined {
  if (url === "") {
    return undefined;
  }
  if (url.includes("@")) {
    return "no passwords in URLs (value hidden)";
  }
  const shape =
    /^(?:http|https|socks5):\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::([1-9]\d{0,4}))?\/?$/.exec(url);
  if (shape !== null && Number(shape[1] ?? 1) <= 65_535) {
    return undefined;
  }
  return `proxy ${shown(url)} is not http, https or socks5://host:port`;
}

/** The entries of a list of addresses. */
export function addressesIn(list: string): string[] {
  return list
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/**
 * Why a list of addresses that go past the proxy is not taken, or undefined. The nucleus has neither wildcards nor
 * ranges: it compares by java.util.regex (aws-greengrass-nucleus, ProxyUtils), where a `*` at the start is an error.
 */
export function noProxyFault(list: string): string | undefined {
  if (firstHidden(list) !== undefined) {
    return undefined; // which is refused in every value
  }
  const wrong = addressesIn(list).find(
    (entry) => !/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/.test(entry),
  );
  return wrong === undefined
    ? undefined
    : `no_proxy entry ${shown(wrong)} is neither a host name nor an address; there are no wildcards and no ranges`;
}

/**
 * Why JVM options are not taken, or undefined. The nucleus writes them with `echo "…"` in a shell script that
 * runs as root (aws-greengrass-nucleus, recipe, lifecycle bootstrap): whatever a shell would act on is
 * refused.
 */
export function jvmOptionsFault(options: string): string | undefined {
  const word = options.split(" ").find((option) => !/^(?:-[A-Za-z0-9._:=,/+@%-]+)?$/.test(option));
  return word === undefined
    ? undefined
    : `JVM option ${shown(word)} is not a - with letters, digits and . _ : = , / + @ % -`;
}

/** Why a text is no SHA-256, or undefined. */
export function sha256Fault(text: string): string | undefined {
  return /^[0-9A-Fa-f]{64}$/.test(text) ? undefined : "sha256 is not 64 hexadecimal digits";
}

/** Why a text is no place to get the nucleus zip from, or undefined; without TLS only from this machine. */
export function nucleusFault(from: string): string | undefined {
  if (from === "none" || from === "download") {
    return undefined;
  }
  if (from.includes("@")) {
    return "no passwords in URLs (value hidden)";
  }
  if (from.includes("://")) {
    const isTaken =
      /^https:\/\/[A-Za-z0-9.-]+(?::[1-9]\d{0,4})?(?:\/[A-Za-z0-9._~%-]+)*\/?$/.test(from) ||
      /^http:\/\/(?:127\.0\.0\.1|localhost)(?::[1-9]\d{0,4})?\/?$/.test(from);
    return isTaken ? undefined : `${shown(from)} is not https://host/folder; http only to 127.0.0.1`;
  }
  if (from.includes("/")) {
    return undefined;
  }
  const meant = didYouMean(from, ["none", "download"]);
  return (
    `${shown(from)} is neither none nor ` +
    `download${meant === undefined ? "" : `; did you mean ${meant}?`}; a folder has a / in it, ` +
    `e.g. ./${visible(from).slice(0, 60)}`
  );
}

/**
 * Why a text does not name the device of a core for ssh, or undefined. Only `[user@]host`, addresses and aliases:
 * whatever could begin an option or reach a shell is refused; port, key and jump host are in the user's ssh
 * configuration.
 */
export function hostFault(host: string): string | undefined {
  if (host === "") {
    return undefined;
  }
  const [, address = ""] = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?(.*)$/.exec(host) ?? [];
  // A scope (RFC 4007) names an interface of this machine.
  if (/^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?$/.test(address) || isIPv6(address)) {
    return undefined;
  }
  return /:\d+$/.test(address)
    ? `host ${shown(host)} has a port, which ssh takes from your ssh configuration (Port, in ~/.ssh/config)`
    : `host ${shown(host)} is not [user@]host or an alias of your ssh configuration`;
}

/** Why a text is no whole number from `least` to `most`, or undefined. */
export function numberFault(text: string, least: number, most: number): string | undefined {
  if (/^(?:0|[1-9]\d{0,15})$/.test(text) && Number(text) >= least && Number(text) <= most) {
    return undefined;
  }
  return `${shown(text)} is not a whole number from ${least.toLocaleString("en-US")} to ${most.toLocaleString("en-US")}`;
}

/** Why a text is none of the words, or undefined. */
export function wordFault(text: string, words: readonly string[]): string | undefined {
  if (words.includes(text)) {
    return undefined;
  }
  const meant = didYouMean(text, words);
  return `${shown(text)} is none of ${words.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/**
 * Why an S3 bucket's name is not taken, or undefined (S3 User Guide, "Bucket naming rules"; a dot would break
 * TLS).
 */
export function bucketFault(bucket: string): string | undefined {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)
    ? undefined
    : `bucket ${shown(bucket)} is not 3 to 63 of a-z 0-9 and -, beginning and ending with a letter or digit`;
}

/** Why the beginning of S3 keys is not taken, or undefined. */
export function prefixFault(prefix: string): string | undefined {
  return /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/.test(prefix)
    ? undefined
    : `prefix ${shown(prefix)} may have only A-Z a-z 0-9 _ - between single slashes`;
}

/** Why the URL of an S3 is not taken, or undefined; without TLS only on this machine. */
export function endpointFault(url: string): string | undefined {
  if (url === "") {
    return undefined;
  }
  if (url.includes("@")) {
    return "no passwords in URLs (value hidden)";
  }
  if (
    /^https:\/\/[A-Za-z0-9.-]+(?::[1-9]\d{0,4})?$/.test(url) ||
    /^http:\/\/(?:127\.0\.0\.1|localhost)(?::[1-9]\d{0,4})?$/.test(url)
  ) {
    return undefined;
  }
  return `endpoint ${shown(url)} is not https://host:port; http only to 127.0.0.1`;
}

/**
 * Why a version of a component is not taken, or undefined (Greengrass V2 Developer Guide, "Semantic
 * versioning").
 */
export function componentVersionFault(version: string): string | undefined {
  return version === "" || /^(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){2}$/.test(version)
    ? undefined
    : `version ${shown(version)} is not three numbers with dots`;
}

/** A file of the project: a relative path that does not leave it. */
export function fileFault(value: string): string | undefined {
  if (value.startsWith("/") || value.split("/").includes("..")) {
    return `${shown(value)} is no path within the project`;
  }
  return /^[A-Za-z0-9_./~+-]{1,255}$/.test(value)
    ? undefined
    : `${shown(value)} holds other characters than A-Z a-z 0-9 _ . / ~ + -`;
}
