import { codes } from "../lib/problem/index.ts";

const HEAD = `# Errors

Made from \`lib/problem/codes.ts\` by \`npm run docs\`.

An error names the place (\`file:line:column\`), its code, what is wrong, why it matters, and the fix. Each code
has one meaning. Exit codes: 1 a step failed · 2 settings, Dofile or usage · 3 locked · 4 needs a person. A run
with several problems ends with the highest. Codes that begin with X belong to a project's own rules.

| code | meaning | reported by | exit |
| --- | --- | --- | --- |
`;

/** The table of error codes. */
export function errorsPage(): string {
  const rows = Object.entries(codes).map(
    ([code, { meaning, room, exit }]) => `| ${code} | ${meaning} | ${room} | ${exit} |\n`,
  );
  return HEAD + rows.join("");
}
