import { IntermodalError } from "../errors.ts";
import { notSerializable } from "./json.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** An object that came from elsewhere: nothing in it can be relied on. */
export type UnknownObject = { readonly [key: string]: unknown };

/**
 * Writes a message that carries `data`.
 * @throws `NOT_SERIALIZABLE` naming the path in `data`.
 */
export function writeObject(message: object, data: unknown, what: string): Uint8Array {
  // JSON would leave these out, and the message would arrive without data.
  if (data === undefined || typeof data === "function" || typeof data === "symbol") throw notSerializable(data, what);
  let text: string;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw notSerializable(data, what, error);
  }
  return encodeText(text);
}

/** Messages share slabs of memory: a buffer for each costs more than all the rest of its encoding. */
const SLAB_BYTES = 16_384;
/** UTF-8 needs at most three bytes for each unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

function encodeText(text: string): Uint8Array {
  const most = text.length * MAX_BYTES_PER_UNIT;
  if (most > SLAB_BYTES / 4) return encoder.encode(text);
  if (used + most > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const start = used;
  used += encoder.encodeInto(text, slab.subarray(start)).written;
  return slab.subarray(start, used);
}

/** @throws `DECODE_FAILED` unless the bytes are an object in JSON. */
export function readObject(bytes: Uint8Array, kind: string): UnknownObject {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw decodeFailed(kind, "it is not JSON in UTF-8", error);
  }
  if (isObject(value)) return value;
  throw decodeFailed(kind, "it is not a JSON object");
}

export function isObject(value: unknown): value is UnknownObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function decodeFailed(kind: string, reason: string, cause?: unknown): IntermodalError {
  return new IntermodalError("DECODE_FAILED", `the ${kind} cannot be read: ${reason}`, { cause });
}
