import { group, project } from "dospesos";
import { components } from "./rules/component.ts";
import { core } from "./rules/core.ts";
import { deployments } from "./rules/deployment.ts";
import { instance } from "./rules/instance.ts";
import { nucleus } from "./rules/nucleus.ts";
import { mqttClient, thing } from "./rules/thing.ts";

export default project(({ settings, glob }) => {
  const shared = instance(settings);
  const cores = settings.cores.map((c) => core(c, settings, shared));
  const mqtt = mqttClient();
  const things = settings.things.map((t) => thing(t, settings, shared, cores, mqtt));
  const own = components(settings, shared, glob("edge/components/*/recipe.json"));
  return [
    group("edge-installer", [...cores.map((c) => c.archive), ...nucleus(settings)]),
    group("thing-kit", things.map((t) => t.archive)),
    // Last: it reads which group each core is in.
    group("deployment", deployments(settings, shared, cores, own)),
  ];
});
