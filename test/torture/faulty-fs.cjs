"use strict";
// Preloaded (node --require) into the program under test: counts its calls of node:fs below one folder, and
// at a given one kills the process or makes the call fail. TORTURE_FAULT is a JSON text:
//   root     the folder; calls elsewhere are not counted
//   calls    the names of the functions that count, e.g. ["writeSync"]; all of `wrapped` where there is none
//   at       the number of the call, from 1; none where calls are only counted
//   how "kill": before the call; "half": after half of what it would write; or an error code, e.g. "ENOSPC"
//   forever  the calls behind it fail, too
//   counted  a file to which the number of calls is written at the end of the process
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const { constants } = require("node:os");

const fault = JSON.parse(process.env.TORTURE_FAULT);
const wrapped = [
  "openSync",
  "closeSync",
  "writeSync",
  "writeFileSync",
  "renameSync",
  "rmSync",
  "rmdirSync",
  "unlinkSync",
  "mkdirSync",
  "fsyncSync",
  "futimesSync",
  "fchmodSync",
  "ftruncateSync",
  "readFileSync",
  "readSync",
  "readdirSync",
  "statSync",
  "lstatSync",
  "fstatSync",
  "realpathSync",
  "existsSync",
];
const files = new Map();
const { closeSync, openSync, writeFileSync, writeSync } = fs;
let count = 0;

for (const name of wrapped) {
  const call = fs[name];
  fs[name] = Object.assign((...args) => {
    const path = typeof args[0] === "number" ? files.get(args[0]) : String(args[0]);
    if (path === undefined || (path !== fault.root && !path.startsWith(`${fault.root}/`))) {
      return call(...args);
    }
    if (fault.calls === undefined || fault.calls.includes(name)) {
      meet(name, args, path);
    }
    const result = call(...args);
    if (name === "openSync") {
      files.set(result, path);
    }
    if (name === "closeSync") {
      files.delete(args[0]);
    }
    return result;
  }, call);
}
syncBuiltinESMExports();

if (fault.counted !== undefined) {
  process.on("exit", () => writeFileSync(fault.counted, String(count)));
}

function meet(name, args, path) {
  count++;
  if (fault.at === undefined || count < fault.at || (count > fault.at && !fault.forever)) {
    return;
  }
  if (fault.how === "half") {
    writeHalf(name, args);
  }
  if (fault.how === "kill" || fault.how === "half") {
    process.kill(process.pid, "SIGKILL");
    for (;;) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
  }
  const syscall = name.replace("Sync", "");
  throw Object.assign(new Error(`${fault.how}: a fault that was put in, ${syscall} '${path}'`), {
    code: fault.how,
    errno: -constants.errno[fault.how],
    syscall,
    path,
  });
}

function writeHalf(name, [target, bytes, offset = 0, length = bytes.length, position]) {
  if (name === "writeSync") {
    writeSync(target, bytes, offset, length >> 1, position);
  }
  if (name !== "writeFileSync") {
    return;
  }
  const file = openSync(target, "w");
  writeSync(file, bytes.slice(0, bytes.length >> 1));
  closeSync(file);
}
