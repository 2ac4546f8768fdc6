import {
  checkNucleus,
  fetchOnce,
  nucleusSha256,
  nucleusUrl,
  rule,
  type Rule,
  type Settings,
  nucleusFile,
} from "dospesos";

/**
 * The zip of the nucleus, checked: one for all cores, since it is thousands of times as large as the rest of
 * a bundle. No rule at all where the settings leave it to whoever goes to the device.
 */
export function nucleus({ greengrass }: Settings): Rule[] {
  const { nucleus: from, version } = greengrass;
  if (from === "none") {
    return [];
  }
  const target = nucleusFile(version);
  return [
    rule({
      target,
      mode: 0o644,
      recipe: async (_, { read, note, signal }) => {
        const sha256 = nucleusSha256(version, greengrass.sha256);
        if (from.includes("/") && !from.includes("://")) {
          const { bytes, path } = read(`${from.replace(/(?<=.)\/+$/, "")}/greengrass-${version}.zip`);
          checkNucleus(bytes, path, sha256);
          return bytes;
        }
        const url =
          from === "download" ? nucleusUrl(version) : `${from.replace(/\/+$/, "")}/greengrass-${version}.zip`;
        const bytes = await fetchOnce({ url, sha256, report: note, signal });
        checkNucleus(bytes, url, sha256);
        return bytes;
      },
    }),
  ];
}
