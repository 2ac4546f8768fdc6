import { group, project } from "dospesos";
import { components } from "./rules/component.ts";
import { core } from "./rules/core.ts";
import { deployments } from "./rules/deployment.ts";
import { instance } from "./rules/instance.ts";
import { nucleus } from "./rules/nucleus.ts";
import { mqttClient, thing } from "./rules/thing.ts";

export default project(({ settings, glob }) => {
  const shared = instance(settings);
  const mqtt = mqttClient();
  // A core that comes, goes or gets another key is the business of its own things only.
  const cores = settings.cores.mapIsolated((c) => core(c, settings, shared));
  const things = settings.things.mapIsolated((t) => thing(t, settings, shared, cores.get(t.core), mqtt));
  // From here on all come together, and what is read counts for what follows.
  const own = components(
    settings,
    shared,
    glob("edge/components/*/{recipe.json,recipe.yaml,recipe.yml,gdk-config.json}"),
  );
  const deployed = deployments(settings, shared, cores, own);
  return [
    group("edge-installer", [...[...cores].map((c) => c.archive), ...nucleus(settings)]),
    group(
      "thing-kit",
      [...things].map((t) => t.archive),
    ),
    group("deployment", deployed),
  ];
});
