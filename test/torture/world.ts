/**
 * The sources of a project as a model beside the files: what a clean build elsewhere is made from, and what
 * steps must see.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ALIAS, PAGES, SOURCES, TEMPLATES } from "./graph.ts";

export interface Core {
  readonly name: string;
  readonly group: string;
}

/** A file's text, or the path that a link leads to, relative to the project's root. */
export type Source = { readonly text: string } | { readonly link: string };

export class World {
  readonly sources = new Map<string, Source>();
  readonly environment = new Map<string, string>();
  region = "eu-west-1";
  instance = "demo";
  cores: readonly Core[] = [
    { name: "a", group: "one" },
    { name: "b", group: "two" },
  ];
  /** A comment and empty lines in settings.ini, which no step may depend on. */
  remark = "";

  constructor() {
    for (const path of [...SOURCES, ...PAGES]) {
      this.sources.set(path, { text: `text of ${path}` });
    }
    this.sources.set(TEMPLATES[0]!, { text: `top {{ word }} {% include "./middle.txt.njk" %}` });
    this.sources.set(TEMPLATES[1]!, { text: `middle {% include "./bottom.txt.njk" %}` });
    this.sources.set(TEMPLATES[2]!, { text: "bottom {{ word }}" });
  }

  /** The text behind a name, through links; undefined where there is no file. */
  text(path: string): string | undefined {
    let source = this.sources.get(path.replace(`${ALIAS.link}/`, `${ALIAS.folder}/`));
    for (let links = 0; source !== undefined && "link" in source; links++) {
      source = links > 8 ? undefined : this.sources.get(source.link);
    }
    return source?.text;
  }

  /** The names of all files that can be read, sorted. */
  names(): string[] {
    return [...this.sources.keys()].filter((path) => this.text(path) !== undefined).sort();
  }

  settingsText(): string {
    const cores = this.cores.map(({ name, group }) => `[core ${name}]\ngroup = ${group}\n`);
    return `; ${this.remark}\n[aws]\naccount = sandbox\nregion = ${this.region}\n[instance]\nname = ${this.instance}\n[greengrass]\nversion = 2.16.0\nroot = /greengrass/v2\n${cores.join("")}`;
  }

  /**
   * Writes one source into a folder. What stands there is overwritten in place, unless it or the source is a
   * link.
   */
  put(root: string, path: string): void {
    const full = join(root, path);
    const source = this.sources.get(path)!;
    mkdirSync(dirname(full), { recursive: true });
    if ("text" in source) {
      return writeFileSync(full, source.text);
    }
    rmSync(full, { force: true });
    symlinkSync(
      join(
        ...dirname(path)
          .split("/")
          .map(() => ".."),
        source.link,
      ),
      full,
    );
  }

  putAll(root: string): void {
    for (const path of this.sources.keys()) {
      this.put(root, path);
    }
    symlinkSync(ALIAS.folder, join(root, ALIAS.link));
    writeFileSync(join(root, "settings.ini"), this.settingsText());
    chmodSync(join(root, "settings.ini"), 0o644);
  }
}
