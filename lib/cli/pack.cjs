"use strict";
// `npm pack` brings the program along compiled: a published package has no sources to compile.
const { rmSync } = require("node:fs");
const { resolve } = require("node:path");
const root = resolve(__dirname, "../..");
rmSync(`${root}/dist`, { recursive: true, force: true });
require("./compile.cjs").compile(root, `${root}/dist`, () => undefined);
