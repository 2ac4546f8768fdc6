import { deleteCertificate } from "../aws/certificates.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { nextRequestFile } from "../layout.ts";
import { publicKeyOf, requestedKey } from "../pki/keypair.ts";
import { ProblemError } from "../problem/index.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { instanceName, type ModuleInstance } from "./module-instance.ts";
import type { ModuleWork } from "./module-work.ts";
import { currentState, record, type State } from "./state.ts";

/** What the modules call the resources of a certificate that is to follow (terraform/*\/rotation.tf). */
const NEXT = ".next_";

const followed = (address: string): string => address.replace(NEXT, ".");

/**
 * Ends a rotation in the account and in the state: the certificate that the device had is deleted, and what was made
 * for the next one takes its place. The module's folder is ready. What an earlier run has done is not done again.
 * Throws a ProblemError.
 */
export async function promoteNext(terraform: Terraform, access: AwsAccess, work: ModuleWork): Promise<void> {
  const { instance, backend } = work;
  const state = await currentState(terraform, instance, backend);
  const known = new Map(state?.resources.map((one) => [one.address, one]));
  const nexts = [...known.keys()].filter((address) => address.includes(NEXT));
  const olds = nexts.map(followed).filter((address) => known.has(address));
  const old = olds.find((address) => address === certificateOf(instance));
  if (old !== undefined) {
    await deleteCertificate(access, String(known.get(old)!.attributes["id"]));
  }
  if (olds.length > 0) {
    await runTerraform(terraform, instance, { command: "state", args: ["rm", "-lock-timeout=20s", ...olds] });
  }
  // The certificate last: as long as it is a next one, no build may come between (guardRotation).
  for (const address of nexts.sort((a, b) => rank(a) - rank(b))) {
    await runTerraform(terraform, instance, {
      command: "state",
      args: ["mv", "-lock-timeout=20s", `${address}[0]`, followed(address)],
    });
  }
  const moved = await currentState(terraform, instance, backend);
  if (moved !== undefined) {
    record(instance, moved);
  }
}

const rank = (address: string): number => (address.startsWith("aws_iot_certificate.") ? 1 : 0);

/** Whether promoteNext has begun: the old certificate has left the state. */
export async function isEnding({ instance, variables }: ModuleWork, state: State): Promise<boolean> {
  const [key, next] = [keyIn(state, certificateOf(instance)), keyIn(state, nextCertificateOf(instance))];
  const csr = variables["next_csr"] ?? "";
  return key === undefined ? next !== undefined : csr !== "" && key.equals(await requestedKey(csr));
}

/**
 * Stops a plan that would end the next certificate, which the device may run with: of a clone that knows nothing of the
 * rotation, and of a build after a rotation that was interrupted at its end.
 * @throws ProblemError (exit 4).
 */
export async function guardRotation(work: ModuleWork, state: State | undefined): Promise<void> {
  const { instance, variables } = work;
  const { name } = instance;
  if (state === undefined) {
    return;
  }
  if (await isEnding(work, state)) {
    throw new ProblemError([
      {
        code: "DP420",
        location: { file: nextRequestFile(name) },
        what: `the rotation of ${instanceName(instance)} was interrupted at its end`,
        why: "a build would make another certificate for the same key",
        fix: `dospesos rotate ${name}, which finishes it`,
      },
    ]);
  }
  if (keyIn(state, nextCertificateOf(instance)) !== undefined && variables["next_csr"] === "") {
    throw new ProblemError([
      {
        code: "DP420",
        location: { file: nextRequestFile(name) },
        what: `${instanceName(instance)} is being rotated, and the request of its next certificate is not here`,
        why: "the device may run with that certificate already",
        fix: `bring ${nextRequestFile(name)} and its key from where dospesos rotate ${name} was run`,
      },
    ]);
  }
}

const certificateOf = ({ module }: ModuleInstance): string => `aws_iot_certificate.${module}`;
const nextCertificateOf = ({ module }: ModuleInstance): string => `aws_iot_certificate${NEXT}${module}`;

function keyIn(state: State, address: string): Buffer | undefined {
  const pem = state.resources.find((one) => one.address === address)?.attributes["certificate_pem"];
  return typeof pem === "string" ? publicKeyOf(pem) : undefined;
}
