import { IntermodalError } from "../errors.ts";

const NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const MAX_NAME = 128;
export const MAX_ID = 256;

/**
 * Checks a name that people choose in code (namespace, app, queue, type, listener): letters, digits, `_` and `-`, in parts separated by single dots, at most 128
 * characters. Such a name can stand in subjects, routing keys and Redis keys as it is.
 * @throws `INVALID_NAME`.
 */
export function checkName(what: string, name: string): string {
  if (typeof name === "string" && name.length <= MAX_NAME && NAME.test(name)) return name;
  throw new IntermodalError(
    "INVALID_NAME",
    `${what} ${JSON.stringify(name)} is not a valid name: use letters, digits, "_" and "-" in parts separated by dots, at most ${MAX_NAME} characters`,
  );
}

/**
 * Checks an id that may come from users: any text of 1 to 256 characters that is whole Unicode. Adapters encode it before it becomes part of a key.
 * @throws `INVALID_NAME`.
 */
export function checkId(what: string, id: string): string {
  if (typeof id === "string" && id.length > 0 && id.length <= MAX_ID && id.isWellFormed()) return id;
  throw new IntermodalError("INVALID_NAME", `${what} must be a text of 1 to ${MAX_ID} characters`);
}

const encoder = new TextEncoder();

/** Encodes any text injectively into letters, digits, `_`, `-` and `=XX`: safe inside a subject, a routing key or a Redis key. */
export function encodeName(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, (character) => {
    let encoded = "";
    for (const byte of encoder.encode(character)) encoded += `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return encoded;
  });
}
