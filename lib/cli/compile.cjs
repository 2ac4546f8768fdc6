"use strict";
// Compiles lib/ into a folder: main.js (the commands), index.js (what `import … from "dospesos"` gets) with
// the chunks that they share, and nothing-to-do.cjs, which stands alone.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

exports.compile = (root, folder, stampOf) => {
  const esbuild = require("esbuild");
  const shared = {
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node20.19",
    packages: "external",
    logLevel: "error",
    charset: "utf8",
  };
  // Stamps are taken before the sources are read: a later change shows.
  const stamps = new Map(sourcesOf(root).map((file) => [file, stampOf(`${root}/${file}`)]));
  const modules = esbuild.buildSync({
    ...shared,
    entryPoints: { main: "lib/cli/main.ts", index: "lib/index.ts" },
    outdir: folder,
    format: "esm",
    splitting: true,
    chunkNames: "[name]-[hash]",
  });
  const check = esbuild.buildSync({
    ...shared,
    entryPoints: { "nothing-to-do": "lib/engine/run/nothing-to-do.ts" },
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
  });
  fs.mkdirSync(folder, { recursive: true });
  for (const { path: file, contents } of [...modules.outputFiles, ...check.outputFiles]) {
    put(file, contents);
  }
  const digest = apiDigest(root, modules.metafile);
  const used = Object.keys({ ...modules.metafile.inputs, ...check.metafile.inputs });
  put(
    `${folder}/program.json`,
    JSON.stringify({ digest, inputs: [...used, "package.json"].map((file) => [file, stamps.get(file)]) }),
  );
  return digest;
};

/** The digest of every module that recipes can call, and of the versions of the packages that these use. */
function apiDigest(root, metafile) {
  const closure = new Set(["lib/index.ts"]);
  for (const file of closure) {
    for (const one of metafile.inputs[file].imports) {
      if (!one.external) {
        closure.add(one.path);
      }
    }
  }
  const { dependencies } = JSON.parse(fs.readFileSync(`${root}/package.json`, "utf8"));
  const hash = createHash("sha256");
  for (const file of [...closure].sort()) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(`${root}/${file}`))
      .update("\0");
  }
  for (const name of Object.keys(dependencies).sort()) {
    hash.update(`${name} ${versionOf(root, name)}\0`);
  }
  return hash.digest("hex").slice(0, 32);
}

function versionOf(root, name) {
  for (let folder = path.resolve(root); ; folder = path.dirname(folder)) {
    const file = `${folder}/node_modules/${name}/package.json`;
    if (fs.existsSync(file)) {
      return JSON.parse(fs.readFileSync(file, "utf8")).version;
    }
    if (folder === path.dirname(folder)) {
      return "missing";
    }
  }
}

function sourcesOf(root) {
  return [
    "package.json",
    ...fs
      .readdirSync(`${root}/lib`, { recursive: true })
      .map((file) => `lib/${file.split(path.sep).join("/")}`),
  ];
}

/** Two first runs at the same time write the same files: each appears whole. */
function put(file, contents) {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, contents);
  fs.renameSync(temporary, file);
}
