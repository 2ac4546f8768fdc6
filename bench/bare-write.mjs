// The floor of a first build: writes what the rules of generate.mjs make, each under a temporary name, and
// renames it. node bare-write.mjs FOLDER N
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { outputText } from "./generate.mjs";

const [folder, n] = process.argv.slice(2);
mkdirSync(`${folder}/out`, { recursive: true });
for (let i = 0; i < Number(n); i++) {
  const path = `${folder}/out/d${i}.yaml`;
  writeFileSync(`${path}.tmp`, outputText(i));
  renameSync(`${path}.tmp`, path);
}
