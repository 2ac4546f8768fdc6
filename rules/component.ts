import {
  accountEffect,
  accountKind,
  accountId,
  ensureComponent,
  file,
  glob,
  json,
  removeComponent,
  rule,
  versionedRecipe,
  type FileValue,
  type Settings,
} from "dospesos";
import type { Instance } from "./instance.ts";

export type Component = ReturnType<typeof component>;

/**
 * The project's own components: one for each edge/components/<name>/recipe.json, with the files below its
 * artifacts/.
 */
export function components(settings: Settings, shared: Instance, recipes: readonly string[]): Component[] {
  return recipes.map((path) => component(path.split("/").at(-2)!, settings, shared));
}

const componentKind = accountKind<{ arn: string; instance: string }>({
  kind: "component",
  version: "2",
  destroy: ({ name, outputs: { arn, instance } }) => ({
    changes: [`-   all versions of the component ${name}; its artifacts in S3 stay`],
    run: ({ access }) => removeComponent(access, arn, instance),
  }),
});

function component(name: string, settings: Settings, shared: Instance) {
  const folder = `edge/components/${name}`;
  const artifacts = glob(`${folder}/artifacts/**`);
  const inFolder = (files: readonly FileValue[]) =>
    files.map(({ path, bytes }) => ({ path: path.slice(folder.length + 1), bytes }));
  const recipe = rule({
    target: `edge/out/components/${name}.json`,
    needs: { source: file(`${folder}/recipe.json`), artifacts },
    recipe: ({ source, artifacts }) =>
      json(
        versionedRecipe({
          name,
          file: source.path,
          recipe: source.text,
          artifacts: inFolder(artifacts),
          bucket: settings.components.bucket,
        }),
      ),
  });
  const registered = accountEffect({
    kind: componentKind,
    name,
    needs: { recipe, artifacts },
    changes: ({ recipe, artifacts }) => [
      `register the component ${name} ${(recipe.json as { ComponentVersion: string }).ComponentVersion}${artifacts.length === 0 ? "" : `, with ${artifacts.length} artifacts in s3://${settings.components.bucket}`}`,
    ],
    apply: async ({ access }, { recipe, artifacts }, { settings }) => ({
      ...(await ensureComponent(access, {
        instance: shared.name,
        account: accountId(settings),
        recipe: recipe.text,
        artifacts: inFolder(artifacts),
        bucket: settings.components.bucket,
        sandbox: settings.sandbox,
      })),
      instance: shared.name,
    }),
  });
  return { recipe, registered };
}
