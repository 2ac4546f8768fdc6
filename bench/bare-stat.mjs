// The floor of a build with nothing to do: looks at every source and output of generate.mjs' build.
// node bare-stat.mjs FOLDER N
import { statSync } from "node:fs";

const [folder, n] = process.argv.slice(2);
const options = { bigint: true, throwIfNoEntry: false };
for (let i = 0; i < Number(n); i++) {
  statSync(`${folder}/src/d${i}.ini`, options);
  statSync(`${folder}/out/d${i}.yaml`, options);
}
