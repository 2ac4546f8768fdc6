import { createCsr, createKey, csrBelongsTo, rule } from "dospesos";

/**
 * The private key of a core or a thing, and the certificate signing request that is all that leaves the laptop. Both are made once
 * and kept: a new request would mean a new certificate (AWS IoT API Reference, "CreateCertificateFromCsr").
 */
export function identity(name: string) {
  const key = `edge/keys/${name}/private.pem.key`;
  const csr = `edge/keys/${name}/request.pem.csr`;
  return rule({
    targets: { key, csr },
    mode: 0o600,
    precious: true,
    recipe: async (_, { existing }) => {
      const keyPem = existing(key)?.text ?? createKey();
      const kept = existing(csr)?.text;
      return { key: keyPem, csr: kept !== undefined && (await csrBelongsTo(kept, keyPem)) ? kept : await createCsr(keyPem, name) };
    },
  });
}
