import { ProblemError, shown } from "../problem/index.ts";
import { call, lookUp, type AwsCall } from "./call.ts";
import type { AwsAccess } from "./clients.ts";

export interface Association {
  readonly core: string;
  readonly thing: string;
  /** The core that an earlier run associated the thing with. Other associations are not ours and stay. */
  readonly previousCore?: string;
  /** The thing was made a moment ago, so it has no association yet: nobody has to look. */
  readonly isNew?: boolean;
}

/**
 * Lets the thing discover the core. A thing moves: it is associated with its new core before it leaves the
 * old one.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_BatchAssociateClientDeviceWithCoreDevice.html
 * @throws ProblemError also where AWS answers 200 with an error for the thing.
 */
export async function associateClientDevice(
  access: AwsAccess,
  { core, thing, previousCore, isNew = false }: Association,
): Promise<void> {
  const { BatchAssociateClientDeviceWithCoreDeviceCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  if (isNew || !(await isAssociated(access, core, thing))) {
    const operation = {
      action: "greengrass:BatchAssociateClientDeviceWithCoreDevice",
      resource: `${thing} with ${core}`,
    };
    const { errorEntries } = await call(operation, () =>
      greengrass.send(new BatchAssociateClientDeviceWithCoreDeviceCommand(batch(core, thing))),
    );
    checkEntries(operation, errorEntries);
  }
  if (previousCore !== undefined && previousCore !== core) {
    await disassociate(access, previousCore, thing);
  }
}

/**
 * Ends an association, if there is one.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_BatchDisassociateClientDeviceFromCoreDevice.html
 */
export async function disassociate(access: AwsAccess, core: string, thing: string): Promise<void> {
  if (!(await isAssociated(access, core, thing))) {
    return;
  }
  const { BatchDisassociateClientDeviceFromCoreDeviceCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const operation = {
    action: "greengrass:BatchDisassociateClientDeviceFromCoreDevice",
    resource: `${thing} from ${core}`,
  };
  const { errorEntries } = await call(operation, () =>
    greengrass.send(new BatchDisassociateClientDeviceFromCoreDeviceCommand(batch(core, thing))),
  );
  checkEntries(operation, errorEntries);
}

/**
 * Whether the thing may discover the core
 * (https://docs.aws.amazon.com/greengrass/v2/APIReference/API_ListClientDevicesAssociatedWithCoreDevice.html).
 */
export async function isAssociated(access: AwsAccess, core: string, thing: string): Promise<boolean> {
  const { paginateListClientDevicesAssociatedWithCoreDevice } = await import("@aws-sdk/client-greengrassv2");
  const client = await access.greengrass();
  const found = await lookUp(
    { action: "greengrass:ListClientDevicesAssociatedWithCoreDevice", resource: core },
    async () => {
      const parts = paginateListClientDevicesAssociatedWithCoreDevice(
        { client, pageSize: 100 },
        { coreDeviceThingName: core },
      );
      for await (const part of parts) {
        if (part.associatedClientDevices?.some(({ thingName }) => thingName === thing)) {
          return true;
        }
      }
      return false;
    },
  );
  return found ?? false;
}

function batch(
  core: string,
  thing: string,
): { coreDeviceThingName: string; entries: { thingName: string }[] } {
  return { coreDeviceThingName: core, entries: [{ thingName: thing }] };
}

interface ErrorEntry {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

function checkEntries({ action, resource }: AwsCall, entries: readonly ErrorEntry[] | undefined): void {
  if (entries === undefined || entries.length === 0) {
    return;
  }
  throw new ProblemError(
    entries.map(({ code = "Error", message }) => ({
      code: "DP610",
      what: `${action} of ${shown(resource)} failed: ${code}`,
      ...(message === undefined ? {} : { why: message }),
    })),
  );
}
