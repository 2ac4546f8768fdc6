#!/usr/bin/env node
// Asks AWS IoT Greengrass where this thing's core devices are, and writes the CA file of each group of cores.
// Needs Node 18 or newer and no packages. `node discover.mjs --help` tells how.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { discover, kit, noCore, printable, readConnection, Stop } from "./discovery.mjs";

const USAGE = `usage: node discover.mjs [--host HOST] [--port PORT] [--ca FILE]

  --host HOST  another discovery endpoint than that of connection.json
  --port PORT  another port: 8443, or 443 where only that leaves the network
  --ca FILE    the CA that the endpoint's certificate comes from

exit code: 0 at least one core found, 1 failed, 2 wrong usage or kit not whole, 4 something must be changed in AWS first
`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        host: { type: "string" },
        port: { type: "string" },
        ca: { type: "string" },
        help: { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    throw new Stop(2, `${error.message}\n${USAGE}`);
  }
}

function writeCa(group) {
  const path = join(kit, `core-ca-${group.id.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100)}.pem`);
  const text = group.cas.map((ca) => `${ca.trim()}\n`).join("");
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    writeFileSync(`${path}.new`, text, { mode: 0o644 });
    renameSync(`${path}.new`, path);
  }
  return path;
}

/** Prints every address, since any one may be that which this thing can reach; gives the number of them. */
function report(groups) {
  let addresses = 0;
  for (const group of groups) {
    const ca = group.cas.length === 0 ? "(none in the answer)" : writeCa(group);
    for (const core of group.cores) {
      console.log(`core ${printable(core.arn.replace(/^.*:thing\//, ""))}`);
      console.log(`  CA file  ${ca}`);
      for (const address of core.addresses) {
        addresses += 1;
        console.log(
          `  address  ${printable(`${address.host}:${address.port}  ${address.metadata}`).trimEnd()}`,
        );
      }
    }
  }
  return addresses;
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const connection = readConnection();
  if (connection.sandbox === true) {
    console.log("SANDBOX: this thing is known to the sandbox only, not to AWS");
  }
  const groups = await discover(connection, options);
  if (report(groups) === 0) {
    throw noCore(`the answer names no address of a core of ${connection.thing}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Stop ? error.message : `error: ${error.message}`);
  process.exitCode = error instanceof Stop ? error.exitCode : 1;
}
