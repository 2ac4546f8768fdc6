"use strict";
// What must be right before any of the program runs: the version of Node, the packages, the folder of the compiled
// program. Plain JavaScript that old versions of Node can read, too.
const fs = require("node:fs");
const path = require("node:path");

/** The oldest version of Node, as in package.json. */
const OLDEST = [20, 19];

exports.checkNode = () => {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    stop(
      "DP004",
      `this is Node ${process.versions.node}, and DosPesos needs ${OLDEST.join(".")} or newer`,
      "install a newer one, e.g. from https://nodejs.org, and try again",
    );
  }
};

/** Ends with a message for an error of the surroundings; gives any other error back. */
exports.explain = (error, root) => {
  const message = String((error && error.message) || error);
  const code = error && error.code;
  const [, name] = /Cannot find (?:package|module) '([^'./][^']*)'/.exec(message) || [];
  if ((code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") && name !== undefined) {
    stop("DP005", `the package ${name} is not installed`, `npm ci --prefix ${quoted(path.resolve(root))}`);
  }
  if ((code === "EACCES" || code === "EPERM" || code === "EROFS") && error.path) {
    const folder = path.dirname(path.resolve(error.path));
    stop(
      "DP006",
      `the compiled program cannot be written to ${folder} (${code})`,
      "run dospesos --version once as who installed the packages, or own that folder",
    );
  }
  return error;
};

function stop(code, what, fix) {
  fs.writeSync(2, `error ${code}: ${what}\n  fix: ${fix}\n`);
  process.exit(4);
}

/** As a word of a POSIX shell. */
function quoted(text) {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}
