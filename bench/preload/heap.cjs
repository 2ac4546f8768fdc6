"use strict";
// Answers each message with the bytes of the heap that are in use after a collection; wants --expose-gc.
process.on("message", () => {
  globalThis.gc();
  process.send(process.memoryUsage().heapUsed);
});
process.channel?.unref();
