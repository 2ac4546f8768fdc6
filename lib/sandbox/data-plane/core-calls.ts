import type { AccountFile } from "../account-file.ts";
import { iotArn } from "../arns.ts";
import { decide } from "../iot/authorization.ts";

/**
 * What a core's components ask of Greengrass' data plane. Each throws an Error that names the action that is
 * not allowed.
 */
export interface CoreCalls {
  putCertificateAuthorities: (pem: string) => Promise<void>;
  /** Why a certificate is not one of that client device, or undefined. */
  verifyClientDevice: (certificateId: string, thing: string) => string | undefined;
}

/**
 * The calls of one core whose HTTP paths AWS does not publish, with the rights of its certificate. They stay inside
 * the process.
 */
export function coreCalls(
  file: AccountFile,
  regionName: string,
  core: string,
  certificateId: string,
): CoreCalls {
  const region = file.account.region(regionName);
  const must = (action: string, resource: string): void => {
    const certificate = region.certificates.get(certificateId);
    if (certificate?.status !== "ACTIVE") {
      throw new Error(`${action}: the certificate is not active`);
    }
    const { allowed, why } = decide(region, { certificate, thing: core }, action, resource);
    if (!allowed) {
      throw new Error(why);
    }
  };
  return {
    putCertificateAuthorities: async (pem) => {
      must("greengrass:PutCertificateAuthorities", "*");
      const device = region.coreDevices.get(core);
      if (device === undefined || device.authorities.includes(pem)) {
        return;
      }
      region.coreDevices.change(core).authorities = [pem];
      await file.save();
    },
    verifyClientDevice: (id, thing) => {
      must("greengrass:VerifyClientDeviceIdentity", "*");
      must("greengrass:VerifyClientDeviceIoTCertificateAssociation", iotArn(region, `thing/${thing}`));
      const certificate = region.certificates.get(id);
      if (certificate === undefined) {
        return "its certificate is not one of the account";
      }
      if (certificate.status !== "ACTIVE") {
        return `its certificate is ${certificate.status}`;
      }
      if (!region.principals.hasPair(id, thing)) {
        return `its certificate is not one of ${thing}`;
      }
      return region.associations.hasPair(core, thing) ? undefined : `${thing} is not associated with ${core}`;
    },
  };
}
