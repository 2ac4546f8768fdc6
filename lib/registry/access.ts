import type { AwsAccess } from "../aws/clients.ts";
import type { CertificateJournal } from "./certificate-journal.ts";

/** What the registry works with: an account, and what is known of certificates that are on their way. */
export interface RegistryAccess {
  readonly access: AwsAccess;
  readonly certificates: CertificateJournal;
  /**
   * Whether a certificate that was issued for another key is replaced: in the sandbox, where no device has that key.
   * In a real account only a rotation does that.
   */
  readonly replacesIdentities: boolean;
}
