import { visible } from "../problem/index.ts";

const NAMES: Readonly<Record<number, string>> = {
  0x00: "NUL",
  0x09: "tab",
  0x0a: "line feed",
  0x0d: "carriage return",
  0x1b: "escape",
  0x7f: "delete",
  0xa0: "no-break space",
  0xad: "soft hyphen",
  0x200b: "zero width space",
  0x200c: "zero width non-joiner",
  0x200d: "zero width joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x2028: "line separator",
  0x2029: "paragraph separator",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2060: "word joiner",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
  0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};

/**
 * Cyrillic and Greek letters, and the ASCII ones that fonts draw alike (Unicode TS 39, confusables, in part).
 */
const FOREIGN =
  "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443" +
  "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425" +
  "\u03bf\u03bd\u03b1\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u0396";
const ASCII = "aceijopsxyABEKMHOPCTXovaABEHIKMNOPTXZ";

/** A character by its code point, e.g. `U+202E (right-to-left override)` or `U+0430 looks like 'a'`. */
export function codePointText(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  const text = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  const like = FOREIGN.indexOf(char);
  if (like >= 0) {
    return `${text} looks like '${ASCII[like]}'`;
  }
  const name = NAMES[point];
  return name === undefined ? text : `${text} (${name})`;
}

/** The first character that a reader cannot see, or takes for an ordinary space; `index` counts from 0. */
export function firstHidden(text: string): { readonly char: string; readonly index: number } | undefined {
  if (/^[ -~]*$/.test(text)) {
    return undefined;
  }
  let index = 0;
  for (const char of text) {
    if (visible(char) !== char || (char !== " " && /\s/u.test(char))) {
      return { char, index };
    }
    index += char.length;
  }
  return undefined;
}
