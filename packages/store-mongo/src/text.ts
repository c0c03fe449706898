const MARK = "json:";

/** Text as BSON can carry it: unchanged, unless it holds half of a surrogate pair, which the driver would replace. Injective. */
export function encodeText(text: string): string {
  return text.isWellFormed() && !text.startsWith(MARK) ? text : MARK + JSON.stringify(text);
}

/** Undoes {@link encodeText}. */
export function decodeText(stored: string): string {
  return stored.startsWith(MARK) ? (JSON.parse(stored.slice(MARK.length)) as string) : stored;
}
