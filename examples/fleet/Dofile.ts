import { group, json, project, rule } from "dospesos";

/** A sheet for each core, and a list of all. A new core makes its own sheet and the list, and no other sheet. */
export default project(({ settings }) => {
  const sheets = settings.cores.mapIsolated(({ name, host, group }) =>
    rule({
      target: `out/${name}.md`,
      recipe: (_, { render }) => render("templates/sheet.md.njk", { name, host, group }),
    }),
  );
  const list = rule({
    target: "out/fleet.json",
    recipe: (_, { settings }) =>
      json([...settings.cores].map(({ name, host, group }) => ({ name, host, group }))),
  });
  return [group("sheets", [...sheets]), list];
});
