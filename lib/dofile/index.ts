/** What the rest of the program may use of the Dofile's room. */
export type { Program } from "./program.ts";
export { declare, file, glob, group, type Declare } from "./declare.ts";
export { knownKind } from "./effect-kinds.ts";
export { dofileOf, type Project, type ProjectInput } from "./project.ts";
export { settingsReader } from "./settings-reader.ts";
export { refuseOtherWriters } from "./writers.ts";
