import {
  accountEffect,
  accountKind,
  accountId,
  ensureComponent,
  GDK_CONFIG,
  glob,
  json,
  outputFolder,
  removeComponent,
  rule,
  readComponent,
  type FileValue,
  type VersionedRecipe,
  type Settings,
} from "dospesos";
import type { Instance } from "./instance.ts";

export type Component = ReturnType<typeof component>;

/**
 * The project's own components: one for each folder of edge/components with a recipe.json or recipe.yaml and the files
 * below its artifacts/, or with a gdk-config.json of AWS's Greengrass Development Kit.
 */
export function components(settings: Settings, shared: Instance, recipes: readonly string[]): Component[] {
  const folders = new Map<string, string[]>();
  for (const path of recipes) {
    const [folder, name] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
    folders.set(folder, [...(folders.get(folder) ?? []), name]);
  }
  return [...folders].map(([folder, names]) =>
    component(folder, names.includes(GDK_CONFIG) ? undefined : names[0]!, settings, shared),
  );
}

const componentKind = accountKind<{ arn: string; instance: string }>({
  kind: "component",
  version: "2",
  destroy: ({ name, outputs: { arn, instance } }) => ({
    changes: [`-   all versions of the component ${name}; its artifacts in S3 stay`],
    run: ({ access }) => removeComponent(access, arn, instance),
  }),
});

/** The sandbox has a bucket of any name. */
function bucketOf({ sandbox, components }: Settings): string | undefined {
  return components.bucket ?? (sandbox ? "sandbox-components" : undefined);
}

/** `recipeFile`: undefined for a folder of the Greengrass Development Kit. */
function component(folder: string, recipeFile: string | undefined, settings: Settings, shared: Instance) {
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  const files = glob(recipeFile === undefined ? `${folder}/**` : `${folder}/{${recipeFile},artifacts/**}`);
  const read = (found: readonly FileValue[]) =>
    readComponent({
      folder,
      recipeFile,
      files: found.map(({ path, bytes }) => ({ path: path.slice(folder.length + 1), bytes })),
      bucket: bucketOf(settings),
    });
  const recipe = rule({
    target: `${outputFolder()}/components/${name}.json`,
    needs: { files },
    recipe: async ({ files }) => json((await read(files)).recipe),
  });
  const registered = accountEffect({
    kind: componentKind,
    name,
    needs: { recipe, files },
    changes: ({ recipe, files }) => {
      const count = recipeFile === undefined ? 1 : files.length - 1;
      const where = count === 0 ? "" : `, with its artifacts in s3://${bucketOf(settings)}`;
      return [`register the component ${name} ${(recipe.json as VersionedRecipe).ComponentVersion}${where}`];
    },
    apply: async ({ access }, { recipe, files }, { settings }) => ({
      ...(await ensureComponent(access, {
        instance: shared.name,
        account: accountId(settings),
        recipe: recipe.text,
        artifacts: (await read(files)).artifacts,
        bucket: bucketOf(settings),
      })),
      instance: shared.name,
    }),
  });
  return { recipe, registered };
}
