import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { ProblemError, type SourceLocation } from "../problem/index.ts";

/** Import blocks in a plan, and tests with mocks, are there from here on. */
const MIN_VERSION = [1, 7];

/** The program and its version. */
export interface Binary {
  readonly program: string;
  readonly version: string;
}

/**
 * The Terraform program of that name on PATH. It is asked for its version in the project's folder, since version
 * managers choose by the folder. `instance`: where the settings name it.
 * @throws ProblemError (exit 4) where there is none, or one that is too old; nothing was started then.
 */
export async function findTerraform(
  name: string,
  root: string,
  environment: NodeJS.ProcessEnv,
  instance: SourceLocation | undefined,
): Promise<Binary> {
  const at = instance === undefined ? {} : { location: instance };
  const program = (environment["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => resolve(folder, name))
    .find(isProgram);
  if (program === undefined) {
    throw new ProblemError([
      {
        code: "DP402",
        ...at,
        what: `${name} is not on PATH`,
        why: "the modules are applied by it",
        fix: `install ${name} ${MIN_VERSION.join(".")} or newer, or set [terraform] binary`,
      },
    ]);
  }
  const { execa } = await import("execa");
  const { stdout, exitCode, stderr } = await execa(program, ["version", "-json"], {
    cwd: root,
    env: { ...environment, CHECKPOINT_DISABLE: "1" },
    extendEnv: false,
    reject: false,
  });
  const version = versionIn(stdout);
  if (exitCode !== 0 || version === undefined) {
    throw new ProblemError([
      {
        code: "DP402",
        ...at,
        what: `${program} printed no version`,
        why: stderr.trim().slice(-500),
        fix: `put another ${name} first on PATH`,
      },
    ]);
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < MIN_VERSION[0]! || (major === MIN_VERSION[0] && minor < MIN_VERSION[1]!)) {
    throw new ProblemError([
      {
        code: "DP403",
        ...at,
        what: `${program} has the version ${version}, and ${MIN_VERSION.join(".")} or newer is needed`,
        why: "the modules use what older ones do not know",
        fix: `install a newer ${name}`,
      },
    ]);
  }
  return { program, version };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The answer may have text before it: what a wrapper or a version manager says. */
function versionIn(output: string): string | undefined {
  try {
    return (JSON.parse(output.slice(output.indexOf("{"))) as { terraform_version?: string })
      .terraform_version;
  } catch {
    return undefined;
  }
}
