import { checkNucleus, fetchOnce, nucleusSha256, nucleusUrl, rule, type Rule, type Settings } from "dospesos";

/**
 * The zip of the nucleus, checked: one for all cores, since it is thousands of times as large as the rest of
 * a bundle. No rule at all where the settings leave it to whoever goes to the device.
 */
export function nucleus({ greengrass }: Settings): Rule[] {
  const { nucleus: from, version } = greengrass;
  if (from === "none") {
    return [];
  }
  const target = `edge/nucleus/greengrass-${version}.zip`;
  return [
    rule({
      target,
      mode: 0o644,
      recipe: async (_, { read, note, signal }) => {
        const sha256 = nucleusSha256(version, greengrass.sha256);
        const signers = greengrass.signer === undefined ? undefined : read(greengrass.signer).text;
        if (from.includes("/") && !from.includes("://")) {
          const { bytes, path } = read(`${from.replace(/(?<=.)\/+$/, "")}/greengrass-${version}.zip`);
          await checkNucleus(bytes, { file: path, version, sha256, signers });
          return bytes;
        }
        const url =
          from === "download" ? nucleusUrl(version) : `${from.replace(/\/+$/, "")}/greengrass-${version}.zip`;
        const bytes = await fetchOnce({ url, sha256, tell: note, signal });
        await checkNucleus(bytes, { file: url, version, sha256, signers });
        return bytes;
      },
    }),
  ];
}
