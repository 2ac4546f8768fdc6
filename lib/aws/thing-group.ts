import { call, deletion, lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";
import { INSTANCE_ATTRIBUTE, instanceOf, instanceTags } from "./ownership.ts";
import type { Shared } from "./service-role.ts";

/**
 * The thing group of that name, made where there is none. Several cores share a group, so no core owns one.
 * https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeThingGroup.html, API_CreateThingGroup.html
 */
export async function ensureThingGroup(
  access: AwsAccess,
  { name, instance }: { readonly name: string; readonly instance: string },
): Promise<Shared> {
  const { CreateThingGroupCommand, DescribeThingGroupCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:DescribeThingGroup", resource: name }, () =>
    iot.send(new DescribeThingGroupCommand({ thingGroupName: name })),
  );
  if (found?.thingGroupArn !== undefined) {
    return { arn: found.thingGroupArn, ours: (await ownerOf(access, found.thingGroupArn)) === instance };
  }
  const made = await call({ action: "iot:CreateThingGroup", resource: name }, () =>
    iot
      .send(new CreateThingGroupCommand({ thingGroupName: name, tags: instanceTags(instance) }))
      .catch((error: unknown) => {
        // Another core of the group was faster: then it is there.
        if (!(error instanceof Error) || error.name !== "ResourceAlreadyExistsException") {
          throw error;
        }
        return iot.send(new DescribeThingGroupCommand({ thingGroupName: name }));
      }),
  );
  return { arn: made.thingGroupArn ?? "", ours: true };
}

/**
 * Takes out of a group what this instance made and is not to be in it
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_RemoveThingFromThingGroup.html).
 */
export async function leaveThingGroup(
  access: AwsAccess,
  thingGroupName: string,
  members: ReadonlySet<string>,
  instance: string,
): Promise<void> {
  const { DescribeThingCommand, paginateListThingsInThingGroup, RemoveThingFromThingGroupCommand } =
    await import("@aws-sdk/client-iot");
  const client = await access.iot();
  const inGroup = await call({ action: "iot:ListThingsInThingGroup", resource: thingGroupName }, async () => {
    const names: string[] = [];
    for await (const { things = [] } of paginateListThingsInThingGroup(
      { client, pageSize: 250 },
      { thingGroupName },
    )) {
      names.push(...things.filter((name) => !members.has(name)));
    }
    return names;
  });
  for (const thingName of inGroup) {
    const thing = await lookUp({ action: "iot:DescribeThing", resource: thingName }, () =>
      client.send(new DescribeThingCommand({ thingName })),
    );
    if (thing?.attributes?.[INSTANCE_ATTRIBUTE] !== instance) {
      continue;
    }
    await call(
      { action: "iot:RemoveThingFromThingGroup", resource: `${thingName} from ${thingGroupName}` },
      () => client.send(new RemoveThingFromThingGroupCommand({ thingName, thingGroupName })),
    );
  }
}

/**
 * Deletes a thing group if the instance made it and nothing is in it. Gives whether it did.
 * https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteThingGroup.html
 */
export async function removeThingGroup(
  access: AwsAccess,
  thingGroupName: string,
  instance: string,
): Promise<boolean> {
  const { DeleteThingGroupCommand, DescribeThingGroupCommand, ListThingsInThingGroupCommand } =
    await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:DescribeThingGroup", resource: thingGroupName }, () =>
    iot.send(new DescribeThingGroupCommand({ thingGroupName })),
  );
  if (found === undefined || (await ownerOf(access, found.thingGroupArn ?? "")) !== instance) {
    return false;
  }
  const { things = [] } = await call({ action: "iot:ListThingsInThingGroup", resource: thingGroupName }, () =>
    iot.send(new ListThingsInThingGroupCommand({ thingGroupName, maxResults: 1 })),
  );
  if (things.length > 0) {
    return false;
  }
  await deletion({ action: "iot:DeleteThingGroup", resource: thingGroupName }, () =>
    iot.send(new DeleteThingGroupCommand({ thingGroupName })),
  );
  return true;
}

/**
 * The instance that made an IoT resource
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_ListTagsForResource.html).
 */
export async function ownerOf(access: AwsAccess, resourceArn: string): Promise<string | undefined> {
  const { ListTagsForResourceCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { tags } = await call({ action: "iot:ListTagsForResource", resource: resourceArn }, () =>
    iot.send(new ListTagsForResourceCommand({ resourceArn })),
  );
  return instanceOf(tags);
}
