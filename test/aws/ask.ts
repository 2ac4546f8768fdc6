// Calls each of the four services at the endpoint that is named as the argument, and prints what they said.
import { ListCoreDevicesCommand } from "@aws-sdk/client-greengrassv2";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { DescribeThingCommand } from "@aws-sdk/client-iot";
import { callerAccount } from "../../lib/aws/caller.ts";
import { awsAccess } from "../../lib/aws/clients.ts";
import { failure, REGION } from "../sandbox/rig.ts";

const access = awsAccess({ region: REGION, endpoint: process.argv[2] ?? "" });
const thing = await failure((await access.iot()).send(new DescribeThingCommand({ thingName: "none" })));
const role = await failure((await access.iam()).send(new GetRoleCommand({ RoleName: "none" })));
const { coreDevices } = await (await access.greengrass()).send(new ListCoreDevicesCommand({}));
console.log(
  JSON.stringify([await callerAccount(access), thing.name, role.name, JSON.stringify(coreDevices)]),
);
