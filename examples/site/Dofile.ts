import { fact, file, group, project, rule } from "dospesos";

interface Site {
  readonly host: string;
  readonly ports: readonly number[];
  readonly private: readonly string[];
}

/** The configuration of a web site: every value is written once, in site.json. */
export default project(() => {
  const site = fact({
    name: "site",
    needs: { source: file("site.json") },
    recipe: ({ source }) => source.json as Site,
  });
  const compose = rule({
    target: "out/compose.yaml",
    needs: { site },
    recipe: ({ site }, { render }) => render("templates/compose.yaml.njk", { ...site }),
  });
  const robots = rule({
    target: "out/robots.txt",
    needs: { site },
    recipe: ({ site }) => `User-agent: *\n${site.private.map((path) => `Disallow: ${path}\n`).join("")}`,
  });
  return [group("web", [compose, robots])];
});
