import type { Code, SourceLocation, Problem } from "../problem/index.ts";

/** One kind of problem with settings: its stable code, what it would lead to, and what to do about it. */
export interface ProblemKind {
  readonly code: Code;
  readonly why: string;
  readonly fix: string;
}

/** Every kind of problem with settings, in the order in which they can be found. */
export const faults = {
  // the file
  missingFile: fault("DP101", "the settings say what to build", "write the least that is needed"),
  unreadable: fault("DP102", "the settings say what to build", "give yourself the right to read it"),
  notAFile: fault("DP103", "only a file stays the same while it is read", "put a file in its place"),
  // DP104 is the name rule, below
  othersCanWrite: fault(
    "DP105",
    "installers are made from the settings, and run as root on devices",
    "chmod go-w",
  ),
  largeFile: fault(
    "DP106",
    "ten thousand cores with as many things need less",
    "remove what is not settings",
  ),
  manySections: fault(
    "DP107",
    "ten thousand cores with as many things need no more",
    "split the fleet into several instances, each with its own settings file",
  ),
  longValue: fault("DP108", "no setting needs more", "shorten the value"),
  notUtf8: fault("DP109", "other encodings would change values without a word", "save the file as UTF-8"),

  // its lines
  nul: fault(
    "DP110",
    "programs written in C end a text at a NUL byte",
    "restore the file, or save it as UTF-8",
  ),
  loneCr: fault(
    "DP111",
    "what one editor shows as two lines is one line to others",
    "save the file with LF or CRLF line ends",
  ),
  noEquals: fault("DP112", "the line would be lost", "write `key = value`, or begin a comment with ;"),
  noKey: fault("DP113", "the value would be lost", "write `key = value`"),
  strayKey: fault("DP114", "it would be lost", "put it below a section, e.g. [aws]"),
  openHeader: fault(
    "DP115",
    "its keys would go to the section above",
    "end the header with ], e.g. [core core-1]",
  ),
  textAfterHeader: fault("DP116", "it would be lost", "put it on a line of its own, or begin it with ;"),
  emptyHeader: fault("DP117", "keys without a section mean nothing", "write e.g. [core core-1]"),
  again: fault("DP118", "it would not be clear which value counts", "keep one of the two"),
  onlyCase: fault("DP119", "sections and keys are written in small letters", "keep one of the two"),
  reserved: fault("DP120", "it means something else inside of JavaScript", "choose another name"),
  quote: fault("DP121", "it would not be clear where the value ends", "close the quote"),
  continuation: fault(
    "DP122",
    "some programs would take the next line into the value",
    "write it all on one line; where the \\ belongs to the value, put quotes around it",
  ),
  inlineComment: fault(
    "DP142",
    "comments stand on lines of their own, and a device would get this one with the value",
    "put the comment above the line; where it belongs to the value, put quotes around the value",
  ),
  array: fault("DP123", "arrays have no meaning in settings", "write `key = value`"),
  hidden: fault(
    "DP124",
    "what nobody sees in the file would still reach the device",
    "type the value anew, on one line",
  ),
  secret: fault(
    "DP125",
    "settings are committed, rendered and copied; a secret would spread with them",
    "take it out of this file, and replace it by a new one if the file was ever shared",
  ),

  // their meaning
  name: fault("DP104", "names go into paths, policies and root scripts", "use A-Z a-z 0-9 _ -"),
  unknownSection: fault("DP130", "nothing would read it", "use a section that there is"),
  unexpectedName: fault("DP131", "there is only one such section", "leave the name out"),
  unknownKey: fault("DP132", "nothing would read it", "use a key that there is"),
  secretKey: fault(
    "DP141",
    "settings hold no secrets: they are committed, rendered and copied",
    "remove the line; AWS credentials come from your profile or environment",
  ),
  noSection: fault("DP133", "there would be nothing to build from", "add the section"),
  noKeySet: fault("DP134", "it has no default", "add it"),
  value: fault("DP135", "the key does not take it", "write another value"),
  sameName: fault(
    "DP136",
    "AWS IoT has one registry for cores and things, and some disks ignore case",
    "give one of the two another name",
  ),
  noSuchCore: fault("DP137", "the thing could not find its core", "name a core that is there"),
  disagreement: fault(
    "DP138",
    "two readers of one file must see the same",
    "write the line in a simpler way",
  ),
  more: fault("DP139", "one mistake often shows up many times", "put the ones above right first"),

  // an inventory
  noInventory: fault("DP143", "the settings name it", "write the file, or take the line out"),
  columns: fault(
    "DP144",
    "the first line names a column for each key",
    "begin with a line such as: name,group,host",
  ),
  cells: fault(
    "DP145",
    "a value would count for another key",
    "one cell for each column; quote a cell that holds a comma",
  ),
  twoPlaces: fault("DP146", "it would not be clear which one counts", "keep one of the two"),

  // their use
  noSuchSetting: fault("DP140", "the Dofile or a rule asks for it", "ask for one that there is"),
};

/** A problem of that kind; `said` replaces the general why and fix by the ones of this case. */
export function problem(
  kind: ProblemKind,
  location: SourceLocation,
  what: string,
  said: Partial<ProblemKind> = {},
): Problem {
  return { ...kind, ...said, location, what };
}

function fault(code: Code, why: string, fix: string): ProblemKind {
  return { code, why, fix };
}
