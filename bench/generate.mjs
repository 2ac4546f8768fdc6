// The same build for each tool: n outputs out/d<i>.yaml, each made from a source of its own, one shared
// template and one shared settings file. The peers put the three files together with cat; dospesos renders
// the template.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TEMPLATE = "t.yaml.njk";
const HEAD =
  "[aws]\naccount = sandbox\nregion = eu-west-1\n\n[instance]\nname = bench\n\n[greengrass]\nversion = 2.16.0\nroot = /greengrass/v2\n";

/** Writes the build of `tool` with n targets into a new folder. */
export function generate(folder, tool, n) {
  const put = (path, text) => writeFileSync(join(folder, path), text);
  mkdirSync(join(folder, "src"), { recursive: true });
  put("settings.ini", coresText(1));
  put(TEMPLATE, "name: {{ name | yaml }}\nregion: {{ region | yaml }}\nroot: {{ root | yaml }}\n");
  for (let i = 0; i < n; i++) {
    put(`src/d${i}.ini`, sourceText(i));
  }
  if (tool !== "dospesos") {
    mkdirSync(join(folder, "out"));
  }
  const [name, text] = descriptions[tool](n);
  put(name, text);
}

/** What a source holds; `edit` tells one save from another. */
export function sourceText(i, edit = 0) {
  return `name=d${i}${edit === 0 ? "" : `-${edit}`}\n`;
}

/** What dospesos makes of it. */
export function outputText(i, edit = 0) {
  return `name: "d${i}${edit === 0 ? "" : `-${edit}`}"\nregion: "eu-west-1"\nroot: "/greengrass/v2"\n`;
}

/**
 * n cores in settings.ini and a rule for each, which reads its core's group and renders one of ten templates.
 */
export function generateCores(folder, _, n) {
  const put = (path, text) => writeFileSync(join(folder, path), text);
  mkdirSync(folder, { recursive: true });
  put("settings.ini", coresText(n));
  for (let t = 0; t < 10; t++) {
    put(`t${t}.yaml.njk`, `template: ${t}\nname: {{ name | yaml }}\ngroup: {{ group | yaml }}\n`);
  }
  put(
    "Dofile.ts",
    `import { group, project, rule } from "dospesos";

export default project(({ settings }) => [group("all", settings.cores.map((core) => rule({
  target: \`out/\${core.name}.yaml\`,
  recipe: (_, { render }) => render(\`t\${core.name.at(-1)}.yaml.njk\`, { name: core.name, group: core.group }),
})))]);
`,
  );
}

/** settings.ini with n cores; `groups` gives those that differ from the rest. */
export function coresText(n, groups = new Map()) {
  return (
    HEAD +
    Array.from({ length: n }, (_, i) => `\n[core c${i}]\ngroup = ${groups.get(i) ?? `g${i % 100}`}\n`).join(
      "",
    )
  );
}

/** Name and text of the file that describes the build to each tool. */
const descriptions = {
  dospesos: (n) => [
    "Dofile.ts",
    `import { file, group, project, rule } from "dospesos";

export default project(({ settings }) => [group("all", Array.from({ length: ${n} }, (_, i) => rule({
  target: \`out/d\${i}.yaml\`,
  needs: { source: file(\`src/d\${i}.ini\`) },
  recipe: ({ source }, { render }) => render("${TEMPLATE}", {
    name: source.text.trim().slice("name=".length), region: settings.aws.region, root: settings.greengrass.root,
  }),
})))]);
`,
  ],
  make: (n) => [
    "Makefile",
    `all: ${list(n, (i) => `out/d${i}.yaml`, " ")}\nout/%.yaml: src/%.ini ${TEMPLATE} settings.ini\n\tcat $^ > $@\n`,
  ],
  ninja: (n) => [
    "build.ninja",
    `rule r\n  command = cat $in > $out\n${list(n, (i) => `build out/d${i}.yaml: r src/d${i}.ini ${TEMPLATE} settings.ini\n`)}`,
  ],
  doit: (n) => [
    "dodo.py",
    `def task_r():
    for i in range(${n}):
        source, target = f"src/d{i}.ini", f"out/d{i}.yaml"
        needs = [source, "${TEMPLATE}", "settings.ini"]
        yield {"name": source, "file_dep": needs, "targets": [target], "actions": ["cat " + " ".join(needs) + " > " + target]}
`,
  ],
  wireit: (n) => {
    const ids = Array.from({ length: n }, (_, i) => i);
    const scripts = Object.fromEntries([["all", "wireit"], ...ids.map((i) => [`d${i}`, "wireit"])]);
    const steps = ids.map((i) => [
      `d${i}`,
      {
        command: `cat src/d${i}.ini ${TEMPLATE} settings.ini > out/d${i}.yaml`,
        files: [`src/d${i}.ini`, TEMPLATE, "settings.ini"],
        output: [`out/d${i}.yaml`],
      },
    ]);
    const wireit = Object.fromEntries([["all", { dependencies: ids.map((i) => `d${i}`) }], ...steps]);
    return ["package.json", JSON.stringify({ name: "bench", private: true, scripts, wireit }, null, 1)];
  },
};

function list(n, text, between = "") {
  return Array.from({ length: n }, (_, i) => text(i)).join(between);
}
