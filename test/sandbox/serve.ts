// Serves the account in the file that is named as the argument, until it is killed. Prints its endpoint and
// CA.
import { openSandbox } from "../../lib/sandbox/server.ts";
import { REGION } from "./rig.ts";

const { endpoint, caPem } = await openSandbox({ file: process.argv[2] ?? "", region: REGION });
console.log(JSON.stringify({ endpoint, caPem }));
