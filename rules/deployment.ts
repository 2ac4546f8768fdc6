import {
  accountEffect,
  accountKind,
  ensureDeployment,
  json,
  leaveThingGroup,
  outputFolder,
  removeDeployments,
  rule,
  type ByName,
  type Deployed,
  type GroupSettings,
  type Settings,
} from "dospesos";
import type { Component } from "./component.ts";
import type { Core } from "./core.ts";
import type { Instance } from "./instance.ts";

/** A deployment of a group that is gone would stay in the account's list for ever. */
const deploymentKind = accountKind<Deployed & { instance: string }>({
  kind: "deployment",
  version: "2",
  destroy: ({ name, outputs: { target, instance } }) => ({
    changes: [`-   deployments of the thing group ${name}; what cores run stays`],
    run: ({ access }) => removeDeployments(access, target, instance),
  }),
});

/** Its components are few: nucleus lite has no plugins. */
const LITE = "templates/deployment/lite.json.njk";

/** The port of a core's own MQTT broker. */
const BROKER_PORT = 8883;

/**
 * What each group of cores runs: the nucleus pinned, the CLI, the project's own components, and what client
 * devices need to find and to talk to their core.
 */
export function deployments(
  settings: Settings,
  shared: Instance,
  cores: ByName<Core>,
  own: readonly Component[],
) {
  // A core that comes, goes or moves is the business of its own groups alone.
  const made = settings.groups.mapIsolated((group) => {
    const members = group.cores.map((name) => cores.get(name));
    return deployment(group, members, settings, shared, own);
  });
  return [...made];
}

/**
 * How AWS IoT Jobs rolls a deployment out and ends it
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/create-deployments.html).
 */
function jobConfiguration({ deployment }: Settings): object | undefined {
  const {
    per_minute: rate,
    abort_percent: percent,
    abort_after: after,
    timeout_minutes: minutes,
  } = deployment;
  const parts = {
    ...(rate === undefined ? {} : { jobExecutionsRolloutConfig: { maximumPerMinute: rate } }),
    ...(percent === undefined
      ? {}
      : {
          abortConfig: {
            criteriaList: ["FAILED", "TIMED_OUT"].map((failureType) => ({
              failureType,
              action: "CANCEL",
              thresholdPercentage: percent,
              minNumberOfExecutedThings: after,
            })),
          },
        }),
    ...(minutes === undefined ? {} : { timeoutConfig: { inProgressTimeoutInMinutes: minutes } }),
  };
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function deployment(
  thingGroup: GroupSettings,
  members: readonly Core[],
  settings: Settings,
  shared: Instance,
  own: readonly Component[],
) {
  const group = thingGroup.name;
  const content = rule({
    target: `${outputFolder()}/deployments/${group}.json`,
    needs: { own: own.map(({ recipe }) => recipe) },
    recipe: ({ own }, { render }) => {
      const { components, greengrass } = settings;
      const { things } = thingGroup;
      const isLite = members[0]!.isLite();
      const rendered = render(isLite ? LITE : "templates/deployment/deployment.json.njk", {
        nucleus: greengrass.version,
        components: { ...components, cli: components.cli || greengrass.version },
        mqtt_port: BROKER_PORT,
        // Exactly these things, instead of any that a core comes to know.
        definitions:
          things.length === 0
            ? {}
            : {
                things: {
                  selectionRule: things.map((name) => `thingName: ${name}`).join(" OR "),
                  policyName: "own-topics",
                },
              },
      });
      const rollout = jobConfiguration(settings);
      if (own.length === 0 && rollout === undefined) {
        return rendered;
      }
      const content = JSON.parse(rendered) as { components: Readonly<Record<string, object>> };
      const versions = own.map((one) => one.json as { ComponentName: string; ComponentVersion: string });
      return json({
        ...content,
        ...(rollout === undefined ? {} : { iotJobConfiguration: rollout }),
        components: {
          ...content.components,
          ...Object.fromEntries(
            // What the template says of it, such as its configuration, stays.
            versions.map((one) => [
              one.ComponentName,
              { ...content.components[one.ComponentName], componentVersion: one.ComponentVersion },
            ]),
          ),
        },
      });
    },
  });
  return accountEffect({
    kind: deploymentKind,
    name: group,
    needs: {
      content,
      group: members[0]!.group,
      applied: members.map(({ applied }) => applied),
      own: own.map(({ registered }) => registered),
    },
    changes: ({ group: { arn } }, { settings }) => [
      `account ${settings.aws.account}, ${settings.aws.region}: deploy to ${arn}, in place of what was deployed before`,
    ],
    apply: async ({ access }, { content, group: { arn } }) => {
      // A core that moves to another group must not get this deployment on its way: its own step may come later.
      await leaveThingGroup(access, group, new Set(thingGroup.cores), shared.name);
      const deployed = await ensureDeployment(access, {
        instance: shared.name,
        target: arn,
        name: `${shared.name} ${group}`,
        content: content.text,
      });
      return { ...deployed, instance: shared.name };
    },
  });
}
