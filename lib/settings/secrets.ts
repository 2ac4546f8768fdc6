/** A PEM private key of any kind begins with this line (RFC 7468, RFC 1421). */
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;

const SECRETS = [
  PRIVATE_KEY,
  /(?:AKIA|ASIA)[A-Z0-9]{16}/, // access key ids: IAM User Guide, "IAM identifiers", unique ID prefixes
  /\b(?:ghp|gho|ghs|github_pat|xox[abp])[_-][A-Za-z0-9_-]{20,}/,
];

/** No secret is shorter, in characters: an access key id has 20. */
const SHORTEST = 20;

/** Where text that looks like a secret begins (from 0), or -1. */
export function secretIndex(text: string): number {
  if (text.length < SHORTEST) {
    return -1;
  }
  const found = SECRETS.map((pattern) => text.search(pattern)).filter((index) => index >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** Whether the text begins a PEM private key, whose next lines are the key itself. */
export function beginsPrivateKey(text: string): boolean {
  return PRIVATE_KEY.test(text);
}

/**
 * Whether a whole value looks like a secret: also the 40 characters of an AWS secret access key, which have
 * no prefix.
 */
export function isSecret(value: string): boolean {
  return (
    secretIndex(value) >= 0 ||
    (/^[A-Za-z0-9/+]{40}$/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value) && /[0-9]/.test(value))
  );
}

/** Whether a key by this name is meant to hold a secret. */
export function soundsSecret(key: string): boolean {
  return /pass|pwd|^pw$|secret|token|credential|private|access_?key|api_?key/i.test(key);
}
