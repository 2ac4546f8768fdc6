import {
  deviceRequestFile,
  nextKeyFile,
  nextRequestFile,
  privateKeyFile,
  requestFile,
  certificateBelongsTo,
  checkKey,
  createCsr,
  createKey,
  createKeyAndCsr,
  csrBelongsTo,
  ProblemError,
  publicKeyOf,
  requestedKey,
  rule,
  type Context,
  type FileValue,
} from "dospesos";

/**
 * The private key of a core or a thing, and the certificate signing request that is all that leaves the
 * laptop. Both are made once and kept. A key of your own is taken as it is. In a real account another key than the
 * one that the certificate is for changes nothing there: what needs both stops.
 */
export function identity(name: string) {
  const key = privateKeyFile(name);
  const csr = requestFile(name);
  return rule({
    targets: { key, csr },
    mode: 0o600,
    precious: true,
    recipe: async (_, { existing, note, settings }) => {
      const kept = existing(csr)?.text;
      const own = existing(key)?.text;
      if (own !== undefined) {
        checkKey(own, key);
      }
      if (kept === undefined && own === undefined) {
        return await createKeyAndCsr(name);
      }
      const keyPem = own ?? createKey();
      if (kept !== undefined && (await csrBelongsTo(kept, keyPem))) {
        return { key: keyPem, csr: kept };
      }
      if (kept !== undefined && settings.sandbox) {
        note(
          `${name} has another key than before, so it gets a new certificate: a device ` +
            "that is installed is cut off until it gets the new bundle",
        );
      }
      return { key: keyPem, csr: await createCsr(keyPem, name) };
    },
  });
}

/** The key that the device is to have: the one that follows, while its identity is rotated. */
export function nextOrKey(
  name: string,
  key: FileValue,
  { readIfExists }: Pick<Context, "readIfExists">,
): FileValue {
  const request = readIfExists(nextRequestFile(name));
  if (request === undefined) {
    return key;
  }
  const next = readIfExists(nextKeyFile(name));
  if (next !== undefined) {
    return next;
  }
  throw new ProblemError([
    {
      code: "DP603",
      location: { file: request.path },
      what: `${name} is being rotated, and the key of its next certificate is not here`,
      why: "its bundle would be without a key",
      fix: `bring ${nextKeyFile(name)} from where dospesos rotate ${name} was run`,
    },
  ]);
}

/**
 * The certificate signing request of a core whose key was made on its device: what dospesos request has
 * fetched.
 */
export function requestOfDevice(name: string, { readIfExists }: Pick<Context, "readIfExists">): string {
  const path = deviceRequestFile(name);
  const request = readIfExists(path);
  if (request !== undefined) {
    return request.text;
  }
  throw new ProblemError([
    {
      code: "DP609",
      location: { file: path },
      what: `the device of ${name} has not made its key yet`,
      why: "key = device: the certificate is for a key that never leaves the device",
      fix: `dospesos request ${name}, then build again`,
    },
  ]);
}

/** The certificate, if it is one for the key of this request. */
export async function certificateForRequest(
  name: string,
  { certificate_pem }: { readonly certificate_pem: string },
  request: string,
): Promise<string> {
  if ((await requestedKey(request)).equals(publicKeyOf(certificate_pem))) {
    return certificate_pem;
  }
  throw otherKey(name, deviceRequestFile(name), "put back the key that the device had");
}

/**
 * The certificate, if it is one for this key: a bundle with any other would be refused only by AWS, on the
 * device.
 */
export function certificateFor(
  name: string,
  { certificate_pem }: { readonly certificate_pem: string },
  key: FileValue,
): string {
  if (certificateBelongsTo(certificate_pem, key.text)) {
    return certificate_pem;
  }
  throw otherKey(
    name,
    key.path,
    `bring the key to ${key.path} from whoever installed the device; or set key = device and fetch its request`,
  );
}

function otherKey(name: string, file: string, way: string): ProblemError {
  return new ProblemError([
    {
      code: "DP603",
      location: { file },
      what: `the certificate of ${name} was issued for another key`,
      why: "a device that runs has that key; a build never replaces an identity",
      fix: `${way}; or give it another identity: dospesos rotate ${name}`,
    },
  ]);
}
