"use strict";
// Writes the peak of the process's resident memory in MB to the file $BENCH_PEAK when it ends. Linux counts
// maxRSS from the process that started it on, so what /proc tells goes first.
const fs = require("node:fs");
if (require("node:worker_threads").isMainThread) {
  process.on("exit", () => fs.writeFileSync(process.env.BENCH_PEAK, String(peakOfThis() / 1024)));
}

function peakOfThis() {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
