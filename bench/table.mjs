// A row of the table, and the table as Markdown.

/**
 * One line: what was measured, ours and the peer's milliseconds (or a text of its own), and bars, each with
 * whether it is met. A row without bars only informs.
 */
export function row(name, { ours, peer = "", theirs, text }, bars = []) {
  return { name, ours, peer, theirs, text, bars };
}

/** A bar of the form `ours ≤ factor × theirs`. */
export function atMost(factor, ours, theirs, of) {
  return { bar: `≤ ${Number(factor.toPrecision(3))} × ${of}`, met: ours <= factor * theirs };
}

export const HEADER = "| case | dospesos | peer | ratio | bar | |\n|---|---|---|---|---|---|";

export function line({ name, ours, peer, theirs, text, bars }) {
  const ratio = theirs === undefined ? "" : (ours / theirs).toFixed(ours < theirs / 5 ? 3 : 2);
  const cells = [
    name,
    text ?? milliseconds(ours),
    theirs === undefined ? "" : `${peer} ${milliseconds(theirs)}`,
    ratio,
  ];
  return (
    "| " +
    `${[...cells, bars.map((one) => one.bar).join(", "), bars.map((one) => (one.met ? "met" : "**not met**")).join(", ")].join(" | ")} |`
  );
}

/** The last line of a run. */
export function verdict(rows, version) {
  const bars = rows.flatMap((one) => one.bars);
  return `${bars.filter((one) => one.met).length} of ${bars.length} bars met on Node ${version}`;
}

function milliseconds(ms) {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}
