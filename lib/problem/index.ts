/** What every room reports problems with. It is on the ground floor and imports nothing. */
export { codes, type Code, type FailureExit } from "./codes.ts";
export { didYouMean } from "./did-you-mean.ts";
export {
  locationText,
  ProblemError,
  problemLines,
  problemText,
  type Problem,
  type SourceLocation,
} from "./problem.ts";
export { shown, visible } from "./visible.ts";
