/**
 * The least that settings need, as a command that appends it: for a project without settings, or with an
 * empty file.
 */
export function exampleCommand(file: string): string {
  const lines = [
    "[aws]",
    "account = sandbox",
    "region = eu-west-1",
    "[instance]",
    "name = dospesos",
    "[greengrass]",
    "version = 2.16.0",
    "[core core-1]",
  ];
  return `printf '%s\\n' ${lines.map(quoted).join(" ")} >> ${/^[\w./-]+$/.test(file) ? file : quoted(file)}`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
