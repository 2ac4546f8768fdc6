import { test } from "uvu";
import * as assert from "uvu/assert";
import { versionedRecipe, type ComponentSource } from "../../lib/device/component-recipe.ts";
import { unzipSync } from "fflate";
import { readComponent } from "../../lib/device/component-source.ts";
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
  refused(
    source({ recipe: '{"ComponentName": x' }),
    /recipe\.json:1:\d+: error DP641: the recipe is neither JSON nor YAML/,
  );
  refused(source({}, { ...RECIPE, ComponentName: "other" }), /ComponentName is "other"/);
  refused(source({}, { ...RECIPE, ComponentVersion: "latest" }), /ComponentVersion is "latest"/);
  refused(source({ artifacts: [] }), /names "artifacts\/a\.sh", which is not there/);
  refused(source({ bucket: undefined }), /nowhere to go[^]*\[components\] bucket/);
  refused(source({ name: "../x" }), /not a valid component name/);
});

const YAML = `RecipeFormatVersion: '2020-01-25'
ComponentName: com.example.Hello
ComponentVersion: '1.2'
ComponentDependencies:
  aws.greengrass.TokenExchangeService:
    VersionRequirement: latest
    DependencyType: MUST
Manifests:
  - Platform:
      os: linus
      runtime: "*"
    Lifecycle:
      Run: sh {artifacts:path}/a.sh
      startup: "true"
      instal: "true"
    Artifacts:
      - URI: artifacts/a.sh
Manifest: []
`;

test("a recipe in YAML is read, and all that is wrong with it is said in one run, each with its line", () => {
  refused(
    source({ recipe: YAML, file: "recipe.yaml" }),
    new RegExp(
      [
        'yaml:18:1: error DP641: a recipe has no "Manifest"\\n {2}fix: did you mean Manifests',
        'yaml:6:5: error DP641: "latest" is no range of versions',
        'yaml:7:5: error DP641: DependencyType is "MUST"',
        'yaml:10:7: error DP641: os is "linus"',
        'yaml:15:7: error DP641: a lifecycle has no "instal"\\n {2}fix: did you mean install',
        "yaml:14:7: error DP641: the lifecycle has both run and startup",
      ].join("[^]*"),
    ),
  );
  const good = YAML.replace("Manifest: []\n", "")
    .replace("latest", "^2.0.0")
    .replace("MUST", "HARD")
    .replace("linus", "linux")
    .replace(/ +startup.*\n/, "")
    .replace(/ +instal:.*\n/, "");
  const { ComponentVersion: version, Manifests } = versionedRecipe(source({ recipe: good }));
  const [{ Artifacts }] = Manifests as [{ Artifacts: unknown }];
  assert.equal(Artifacts, [{ Uri: `s3://acme/components/com.example.Hello/${version}/a.sh` }]);
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const GDK = {
  component: {
    "com.example.Kit": {
      author: "Ann",
      version: "NEXT_PATCH",
      build: { build_system: "zip" },
      publish: { bucket: "b", region: "r" },
    },
  },
  gdk_version: "1.3.0",
};
const KIT_RECIPE = `RecipeFormatVersion: "2020-01-25"
ComponentName: "{COMPONENT_NAME}"
ComponentVersion: "{COMPONENT_VERSION}"
ComponentPublisher: "{COMPONENT_AUTHOR}"
Manifests:
  - Platform: { os: all, runtime: "*" }
    Artifacts:
      - URI: "s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION/kit.zip"
        Unarchive: ZIP
    Lifecycle: { run: "python3 -u {artifacts:decompressedPath}/kit/main.py" }
`;
const kit = (config: object = GDK) => [
  { path: "gdk-config.json", bytes: bytes(JSON.stringify(config)) },
  { path: "recipe.yaml", bytes: bytes(KIT_RECIPE) },
  { path: "main.py", bytes: bytes("print('hello')\n") },
  { path: "lib/part.py", bytes: bytes("x = 1\n") },
  { path: "tests/test_main.py", bytes: bytes("assert False\n") },
  { path: ".env", bytes: bytes("SECRET=1\n") },
  { path: "greengrass-build/recipes/recipe.yaml", bytes: bytes("old") },
];

test("a folder of AWS's Greengrass Development Kit is taken as it is: placeholders, and the zip that it would build", async () => {
  const read = (files: ReturnType<typeof kit>) =>
    readComponent({ folder: "edge/components/kit", recipeFile: undefined, files, bucket: "acme" });
  const { recipe, artifacts } = await read(kit());
  assert.is(recipe.ComponentName, "com.example.Kit");
  assert.match(recipe.ComponentVersion, /^1\.0\.\d{1,6}$/);
  assert.is(recipe["ComponentPublisher"], "Ann");
  assert.match(
    JSON.stringify(recipe["Manifests"]),
    `s3://acme/components/com.example.Kit/${recipe.ComponentVersion}/kit.zip`,
  );
  const [{ path, bytes: zipped }] = artifacts as [{ path: string; bytes: Uint8Array }];
  assert.is(path, "artifacts/kit.zip");
  assert.equal(Object.keys(unzipSync(zipped)).sort(), ["lib/part.py", "main.py"]);
  const again = await read(kit());
  assert.is(again.recipe.ComponentVersion, recipe.ComponentVersion, "equal contents are one version");
  const changed = await read(
    kit().map((one) => (one.path === "main.py" ? { ...one, bytes: bytes("2") } : one)),
  );
  assert.is.not(changed.recipe.ComponentVersion, recipe.ComponentVersion);
  const options = { build_system: "zip", options: { excludes: ["**/*.env", ".env"] } };
  const excludes = await read(
    kit({ component: { "com.example.Kit": { ...GDK.component["com.example.Kit"], build: options } } }),
  );
  assert.ok("tests/test_main.py" in unzipSync(excludes.artifacts[0]!.bytes));
  const maven = kit({ component: { "com.example.Kit": { build: { build_system: "maven" } } } });
  await read(maven).then(
    () => assert.unreachable(),
    (error: unknown) =>
      assert.match((error as Error).message, /gdk-config\.json: error DP641: its build system is "maven"/),
  );
});

test.run();
