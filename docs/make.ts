/**
 * `npm run docs`: the reference pages that are made from the code, so that they cannot disagree with it. A test
 * holds each page against what this gives.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorsPage } from "./errors.ts";
import { settingsPage } from "./settings.ts";
import { eventsPage, eventsSchema } from "./events.ts";
import { permissionsPage } from "./permissions.ts";

/** The text of each generated page, by its file name in docs/. */
export const pages: Readonly<Record<string, () => string>> = {
  "errors.md": errorsPage,
  "settings.md": settingsPage,
  "events.md": eventsPage,
  "permissions.md": permissionsPage,
  "events.schema.json": () => `${JSON.stringify(eventsSchema(), null, 2)}\n`,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(pages)) {
    writeFileSync(new URL(name, import.meta.url), text());
  }
}
