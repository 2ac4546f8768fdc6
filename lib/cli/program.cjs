"use strict";
// Finds the compiled program. A published package brings it along in dist/; a clone compiles lib/ with
// esbuild when it is first used and whenever a source changed, into node_modules/.cache/dospesos, which `npm
// ci` clears.
const fs = require("node:fs");

const root = `${__dirname}/../..`;

/** The folder of the compiled program, and the digest of all that recipes can call in it. */
exports.program = () => {
  const shipped = `${root}/dist/program.json`;
  const folder = fs.existsSync(shipped) ? `${root}/dist` : `${root}/node_modules/.cache/dospesos`;
  const known = readKnown(`${folder}/program.json`);
  if (known !== undefined && (folder.endsWith("/dist") || known.inputs.every(isUntouched))) {
    return { folder, digest: known.digest };
  }
  return { folder, digest: require("./compile.cjs").compile(root, folder, stampOf) };
};

function readKnown(path) {
  try {
    return JSON.parse(fs.readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function isUntouched([path, stamp]) {
  return stampOf(`${root}/${path}`) === stamp;
}

function stampOf(path) {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.size} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.ino}`;
}
