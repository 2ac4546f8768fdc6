/** What `dospesos sandbox --trace` told of one core, with what differs from run to run replaced by placeholders. */
export function transcriptOf(told: string): string[] {
  return told
    .split("\n")
    .filter((line) => /^core-1 (->|<-) /.test(line))
    .map(normalized(new Map()));
}

/**
 * Replaces ids, times and secrets. The same id is the same placeholder, numbered as they come; `known` keeps which.
 */
export function normalized(known: Map<string, string>): (line: string) => string {
  return (line) =>
    line
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        const found = known.get(id) ?? `<id ${known.size + 1}>`;
        known.set(id, found);
        return found;
      })
      .replaceAll(/"(timestamp|queuedAt|lastUpdatedAt|creationTimestamp|sequenceNumber)":\d+/g, '"$1":0')
      .replaceAll(/"recipe":"[^"]*"/g, '"recipe":"<recipe>"')
      .replaceAll(/"preSignedUrl":"[^"]*"/g, '"preSignedUrl":"<url>"')
      .replaceAll(/"(accessKeyId|secretAccessKey|sessionToken|expiration)":"[^"]*"/g, '"$1":"<$1>"');
}

/** Puts real ids where the placeholders stand. */
export function filled(line: string, known: ReadonlyMap<string, string>): string {
  let text = line;
  for (const [id, placeholder] of known) {
    text = text.replaceAll(placeholder, id);
  }
  return text;
}
