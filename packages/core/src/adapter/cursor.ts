import { IntermodalError } from "../errors.ts";

/** A place in a list as a text that says nothing to others. */
export function encodeCursor(place: readonly (string | number)[]): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(JSON.stringify(place))) bytes += String.fromCharCode(byte);
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param shape the type of each part, in order.
 * @throws `CURSOR_INVALID` for what {@link encodeCursor} did not make of such parts.
 */
export function decodeCursor(cursor: string, shape: readonly ("string" | "number")[]): readonly (string | number)[] {
  let place: unknown;
  try {
    const bytes = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const decoder = new TextDecoder("utf-8", { fatal: true });
    place = JSON.parse(decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))));
  } catch {
    place = undefined;
  }
  const shaped =
    Array.isArray(place) &&
    place.length === shape.length &&
    shape.every((type, index) => typeof (place as unknown[])[index] === type);
  if (shaped) return place as (string | number)[];
  throw new IntermodalError(
    "CURSOR_INVALID",
    "the cursor is not one that this list gave out; start again without a cursor",
  );
}
