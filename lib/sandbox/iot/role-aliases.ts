import * as v from "valibot";
import type { Region, RoleAlias } from "../account.ts";
import { iotArn } from "../arns.ts";
import { flag, integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { tagMember } from "../tags.ts";
import { alreadyExists, notFound } from "./registry.ts";

const roleAlias = v.pipe(v.string(), v.regex(/^[\w=,@-]{1,128}$/));
const roleArn = v.pipe(v.string(), v.regex(/^arn:[^:]+:iam::\d{12}:role\/.+$/), v.maxLength(2048));
const credentialDurationSeconds = v.pipe(integer, v.minValue(900), v.maxValue(43_200));

function aliasNamed(region: Region, name: string): RoleAlias {
  const found = region.aliases.get(name);
  if (found === undefined) {
    throw notFound(`Role alias ${name}`);
  }
  return found;
}

function named(region: Region, alias: RoleAlias): object {
  return { roleAlias: alias.name, roleAliasArn: iotArn(region, `rolealias/${alias.name}`) };
}

/** Role aliases (https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html). */
export const roleAliasOperations = [
  rest(
    "iot",
    "CreateRoleAlias",
    "POST /role-aliases/{roleAlias}",
    {
      roleAlias,
      roleArn,
      credentialDurationSeconds: v.optional(credentialDurationSeconds, 3600),
      tags: v.optional(v.array(tagMember), []),
    },
    ({ region, now }, input) => {
      if (region.aliases.has(input.roleAlias)) {
        throw alreadyExists(
          `Role alias ${input.roleAlias}`,
          input.roleAlias,
          iotArn(region, `rolealias/${input.roleAlias}`),
        );
      }
      const alias: RoleAlias = {
        name: input.roleAlias,
        roleArn: input.roleArn,
        seconds: input.credentialDurationSeconds,
        tags: input.tags,
        createdAt: now,
        modifiedAt: now,
      };
      region.aliases.set(alias.name, alias);
      return named(region, alias);
    },
  ),

  rest(
    "iot",
    "DescribeRoleAlias",
    "GET /role-aliases/{roleAlias}",
    { roleAlias },
    ({ account, region }, input) => {
      const alias = aliasNamed(region, input.roleAlias);
      const roleAliasDescription = {
        ...named(region, alias),
        roleArn: alias.roleArn,
        owner: account.identity.id,
        credentialDurationSeconds: alias.seconds,
        creationDate: alias.createdAt,
        lastModifiedDate: alias.modifiedAt,
      };
      return { roleAliasDescription };
    },
  ),

  rest(
    "iot",
    "UpdateRoleAlias",
    "PUT /role-aliases/{roleAlias}",
    {
      roleAlias,
      roleArn: v.optional(roleArn),
      credentialDurationSeconds: v.optional(credentialDurationSeconds),
    },
    ({ region, now }, input) => {
      const alias = aliasNamed(region, input.roleAlias);
      Object.assign(region.aliases.change(alias.name), {
        roleArn: input.roleArn ?? alias.roleArn,
        seconds: input.credentialDurationSeconds ?? alias.seconds,
        modifiedAt: now,
      });
      return named(region, alias);
    },
  ),

  rest("iot", "DeleteRoleAlias", "DELETE /role-aliases/{roleAlias}", { roleAlias }, ({ region }, input) => {
    region.aliases.delete(aliasNamed(region, input.roleAlias).name);
    return {};
  }),

  rest(
    "iot",
    "ListRoleAliases",
    "GET /role-aliases",
    {
      pageSize: v.optional(integer),
      marker: v.optional(v.string()),
      isAscendingOrder: v.optional(flag),
    },
    ({ region }, input) => {
      const { entries, next } = page([...region.aliases.keys()], input.pageSize, input.marker);
      return { roleAliases: entries, nextMarker: next };
    },
  ),
];
