/** The stable code of every kind of problem with templates, for searching and for documentation. */
export const code = {
  /** There is no such template. */
  missing: "DP501",
  /** The file name tells no output language. */
  language: "DP502",
  syntax: "DP503",
  /** A construct or a name that templates may not use. */
  refused: "DP504",
  filter: "DP505",
  /** An include outside of the project, in a circle, or of another language. */
  include: "DP506",
  /** An output without its language's quoting filter. */
  unquoted: "DP507",
  /** An output where its quoting would not hold. */
  position: "DP508",
  /** A variable or member that is not there. */
  undefined: "DP509",
  /** A value of the wrong type, or one that the language cannot write. */
  value: "DP510",
  /** Too much output, or too many turns of loops. */
  limit: "DP511",
  /** The rendered text is not what its language demands. */
  result: "DP512",
} as const;
