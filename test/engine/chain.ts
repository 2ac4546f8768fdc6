import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

/** Two steps in a row from one source. */
export const CHAIN = `
  const upper = rule({ target: "out/upper", needs: { source: file("source") }, recipe: ({ source }) => source.text.toUpperCase() });
  const twice = rule({ target: "out/twice", needs: { upper }, recipe: ({ upper }) => upper.text + upper.text });
  return [twice];
`;

/** The chain after its first build, from the source "abc". */
export async function builtChain(): Promise<TestProject> {
  const project = new TestProject(CHAIN, { source: "abc" });
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  return project;
}
