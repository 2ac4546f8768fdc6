import type { RecipeContext } from "./engine/index.ts";
import type { Settings } from "./settings/index.ts";

/**
 * What a recipe gets besides the values of its needs. Everything that it reads this way is a prerequisite of
 * its step.
 */
export interface Context extends RecipeContext {
  readonly settings: Settings;
  /**
   * Renders a template (nunjucks, see lib/render) with some values; the template and what it includes are
   * prerequisites.
   */
  render: (template: string, values: Readonly<Record<string, unknown>>) => string;
}
