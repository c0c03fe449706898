import { IntermodalError } from "@intermodal/core/ports";

const MARK = "json:";

/**
 * Text as BSON can carry it: unchanged, unless it holds half of a surrogate pair, which the driver would replace. Injective.
 * @throws `NOT_SERIALIZABLE` for what is no text, whatever its type says.
 */
export function encodeText(text: string): string {
  if (typeof text !== "string")
    throw new IntermodalError("NOT_SERIALIZABLE", `a text was expected where something else stands: ${typeof text}`);
  return text.isWellFormed() && !text.startsWith(MARK) ? text : MARK + JSON.stringify(text);
}

/** Undoes {@link encodeText}. */
export function decodeText(stored: string): string {
  return stored.startsWith(MARK) ? (JSON.parse(stored.slice(MARK.length)) as string) : stored;
}
