export { createRenderer } from "./renderer.ts";
export type { Renderer } from "./renderer.ts";
export type { TemplateReader } from "./sources.ts";
