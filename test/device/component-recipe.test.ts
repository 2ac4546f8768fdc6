import { test } from "uvu";
import * as assert from "uvu/assert";
import { versionedRecipe, type ComponentSource } from "../../lib/device/component-recipe.ts";
import { ProblemError } from "../../lib/problem/index.ts";

const RECIPE = {
  RecipeFormatVersion: "2020-01-25",
  ComponentName: "com.example.Hello",
  ComponentVersion: "1.2.0",
  Manifests: [
    {
      Lifecycle: { Run: "sh {artifacts:path}/a.sh" },
      Artifacts: [{ Uri: "artifacts/a.sh", Unarchive: "NONE" }],
    },
  ],
};
const source = (change: object = {}, recipe: object = RECIPE): ComponentSource => ({
  name: "com.example.Hello",
  file: "edge/components/com.example.Hello/recipe.json",
  recipe: JSON.stringify(recipe),
  artifacts: [{ path: "artifacts/a.sh", bytes: Buffer.from("echo a") }],
  bucket: "acme",
  ...change,
});

function refused(given: ComponentSource, what: RegExp): void {
  try {
    versionedRecipe(given);
  } catch (error) {
    assert.instance(error, ProblemError);
    assert.is((error as ProblemError).exitCode, 2);
    assert.match((error as ProblemError).message, what);
    return;
  }
  assert.unreachable(`not refused: ${what}`);
}

test("the same content has the same version; another recipe or another artifact has another one", () => {
  const { ComponentVersion: version } = versionedRecipe(source());
  assert.match(version, /^1\.2\.\d{1,6}$/);
  assert.is(versionedRecipe(source()).ComponentVersion, version);
  assert.is.not(
    versionedRecipe(source({ artifacts: [{ path: "artifacts/a.sh", bytes: Buffer.from("echo b") }] }))
      .ComponentVersion,
    version,
  );
  assert.is.not(
    versionedRecipe(source({}, { ...RECIPE, ComponentDescription: "x" })).ComponentVersion,
    version,
  );
});

test("an artifact gets its place in S3, which no other version shares", () => {
  const { ComponentVersion: version, Manifests } = versionedRecipe(source()) as {
    ComponentVersion: string;
    Manifests?: unknown;
  } & ReturnType<typeof versionedRecipe>;
  assert.equal(Manifests, [
    {
      Lifecycle: { Run: "sh {artifacts:path}/a.sh" },
      Artifacts: [{ Uri: `s3://acme/components/com.example.Hello/${version}/a.sh`, Unarchive: "NONE" }],
    },
  ]);
});

test("a recipe that is none, has another name or version, or artifacts that cannot be had, is refused with its file", () => {
  refused(source({ recipe: "ComponentName: x" }), /recipe\.json: error DP641: the recipe is not JSON/);
  refused(source({}, { ...RECIPE, ComponentName: "other" }), /ComponentName is "other"/);
  refused(source({}, { ...RECIPE, ComponentVersion: "latest" }), /ComponentVersion is "latest"/);
  refused(source({ artifacts: [] }), /names "artifacts\/a\.sh", which is not there/);
  refused(source({ bucket: undefined }), /nowhere to go[^]*\[components\] bucket/);
  refused(source({ name: "../x" }), /not a valid component name/);
});

test.run();
