import type { FolderFile } from "./component-folder.ts";
import type { Artifact, VersionedRecipe } from "./component-recipe.ts";

export interface ComponentFolder {
  /** e.g. "edge/components/com.example.Hello" */
  readonly folder: string;
  /** recipe.json or recipe.yaml; undefined: a folder of the Greengrass Development Kit, which is taken as it is. */
  readonly recipeFile: string | undefined;
  readonly files: readonly FolderFile[];
  /** Where artifacts are uploaded to, or undefined. */
  readonly bucket: string | undefined;
}

/**
 * The component in a folder: its recipe, versioned by what is in it, and its artifacts.
 * @throws ProblemError (exit 2), see versionedRecipe and gdkComponent.
 */
export async function readComponent({ folder, recipeFile, files, bucket }: ComponentFolder): Promise<{
  readonly recipe: VersionedRecipe;
  readonly artifacts: readonly Artifact[];
}> {
  // Who has no component reads neither YAML nor ranges of versions.
  const [{ versionedRecipe }, { gdkComponent }] = await Promise.all([
    import("./component-recipe.ts"),
    import("./gdk.ts"),
  ]);
  const source =
    recipeFile === undefined
      ? gdkComponent(folder, files)
      : {
          name: folder.slice(folder.lastIndexOf("/") + 1),
          file: recipeFile,
          recipe: Buffer.from(files.find(({ path }) => path === recipeFile)?.bytes ?? []).toString("utf8"),
          artifacts: files.filter(({ path }) => path !== recipeFile),
        };
  const recipe = versionedRecipe({ ...source, file: `${folder}/${source.file}`, bucket });
  return { recipe, artifacts: source.artifacts };
}
