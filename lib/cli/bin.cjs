#!/usr/bin/env node
"use strict";
// The way in. It is plain JavaScript, since Node 20 cannot run TypeScript, and it loads as little as it can:
// a build that has nothing to do needs the nothing-to-do check and no more.
const { checkNode, explain } = require("./surroundings.cjs");

checkNode();
const { folder, digest } = found();
const args = process.argv.slice(2);
const plain = args[0] === "build" && args.every((argument) => !argument.startsWith("-"));
const environment = process.env.DOSPESOS_ENV || "";
const told =
  plain && /^[a-z0-9-]*$/.test(environment)
    ? require(`${folder}/nothing-to-do.cjs`).nothingToDo(
        process.cwd(),
        args.slice(1),
        digest,
        environment === "" ? "" : `env/${environment}`,
      )
    : undefined;
if (told !== undefined) {
  try {
    // process.stderr would load streams, which costs a tenth of Node's start.
    require("node:fs").writeSync(2, `${told}\n`);
  } catch {
    // A reader that went away (`2>&1 | head`) is no reason to fail.
  }
} else {
  // Beside the program: Node's own choice, below the temporary folder, is one that others may have made and can fill.
  require("node:module").enableCompileCache?.(`${folder}/compile-cache`);
  import(require("node:url").pathToFileURL(`${folder}/main.js`).href)
    .then((main) => main.main(args, { folder, digest, version: require("../../package.json").version }))
    .catch((error) => {
      throw explain(error, `${__dirname}/../..`);
    });
}

function found() {
  try {
    return require("./program.cjs").program();
  } catch (error) {
    throw explain(error, `${__dirname}/../..`);
  }
}
