import { createRequire } from "node:module";
import { dirname } from "node:path";

/**
 * mqtt.js and all that it needs as one ES module for Node 18 or newer, so that a kit runs without `npm
 * install`; it exports `connectAsync`. The same versions give the same text on every machine.
 */
export async function mqttModule(): Promise<string> {
  const { build } = await import("esbuild");
  const resolveDir = dirname(createRequire(import.meta.url).resolve("mqtt"));
  const {
    outputFiles: [made],
  } = await build({
    stdin: { contents: 'export { connectAsync } from "mqtt";', resolveDir },
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node18",
    charset: "utf8",
    logLevel: "silent",
    // Its CommonJS parts ask for Node's own modules by require().
    banner: {
      js: [
        "// mqtt.js (MIT licence, github.com/mqttjs/MQTT.js) and what it needs, bundled.",
        'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      ].join("\n"),
    },
  });
  return made?.text ?? "";
}
