"use strict";
// Writes the names of the project's files whose content was read to the file $BENCH_READS when the process
// ends, one a line.
const fs = require("node:fs");
const { relative, resolve } = require("node:path");

const root = process.cwd();
const read = [];
// readFileSync opens by openSync: that is one reading.
let inside = false;
for (const [owner, name] of [
  [fs, "readFileSync"],
  [fs, "openSync"],
  [fs, "createReadStream"],
  [fs, "readFile"],
  [fs, "open"],
  [fs.promises, "readFile"],
  [fs.promises, "open"],
]) {
  const original = owner[name];
  owner[name] = function (path, ...rest) {
    if (inside) {
      return original.call(this, path, ...rest);
    }
    note(path);
    inside = true;
    try {
      return original.call(this, path, ...rest);
    } finally {
      inside = false;
    }
  };
}
require("node:module").syncBuiltinESMExports();
process.on("exit", () => fs.writeFileSync(process.env.BENCH_READS, read.join("\n")));

function note(path) {
  if (typeof path !== "string") {
    return;
  }
  const name = relative(root, resolve(path));
  if (!name.startsWith("..") && !name.startsWith(".dospesos")) {
    read.push(name);
  }
}
