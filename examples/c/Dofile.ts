import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { project, rule, type Rule } from "dospesos";

/** A C program. Nobody lists its headers: the compiler says which files it read, and each is a prerequisite. */
export default project(({ glob }) => {
  const units = glob("src/*.c").map(compiled);
  return [linked("out/greet", units)];
});

/** One source file as assembly. */
function compiled(source: string): Rule {
  return rule({
    target: `out/${basename(source, ".c")}.s`,
    recipe: async (_, { read, run }) => {
      const dependencies = await run("cc", ["-MM", source]);
      // "greet.o: src/greet.c src/greet.h": make's format, lines continued with a backslash.
      for (const path of dependencies.replaceAll("\\\n", " ").split(/\s+/).slice(1).filter(Boolean)) {
        read(path);
      }
      return run("cc", ["-S", "-O2", "-o", "-", source]);
    },
  });
}

/** The program, from its compiled units. */
function linked(target: string, units: readonly Rule[]): Rule {
  return rule({
    target,
    mode: 0o755,
    needs: { units },
    recipe: ({ units }, { root }) => {
      const folder = mkdtempSync(join(tmpdir(), "link-"));
      try {
        const program = join(folder, "program");
        execFileSync("cc", ["-o", program, ...units.map(({ path }) => join(root, path))]);
        return readFileSync(program);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  });
}
