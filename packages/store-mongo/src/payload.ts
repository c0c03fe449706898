import type { JsonValue } from "@intermodal/core/ports";

/** BSON nests 100 levels at the most, those of the document around it included. */
const MAX_DEPTH = 50;
/** As BSON some JSON becomes several times as long, and a document holds 16 MiB: what is long stays JSON. */
const MAX_VALUES = 5_000;
const MAX_CHARACTERS = 131_072;
/** Special to MongoDB, its driver or JavaScript. */
const ODD_KEY = /^$|^\$|[.\0]|^_bsontype$|^__proto__$|^toBSON$/;

/**
 * A payload as it stands in a document: as itself under its field, to be queried, or where BSON would not carry it unchanged, as JSON under the field that ends in
 * `_json`.
 */
export interface StoredPayload {
  readonly value: JsonValue | undefined;
  readonly json: string | undefined;
  /** About how many it takes. */
  readonly bytes: number;
}

const ABSENT: StoredPayload = { value: undefined, json: undefined, bytes: 0 };
/** Of a value: its type, its key where that is an index, its end. */
const VALUE_BYTES = 16;

export function storePayload(payload: JsonValue | undefined): StoredPayload {
  if (payload === undefined) return ABSENT;
  values = 0;
  characters = 0;
  textBytes = 0;
  if (isPlain(payload, 0)) return { value: payload, json: undefined, bytes: VALUE_BYTES * values + textBytes };
  const json = JSON.stringify(payload);
  return { value: undefined, json, bytes: Buffer.byteLength(json) };
}

/** Undoes {@link storePayload}; `undefined` where nothing was stored. */
export function readPayload(value: unknown, json: unknown): JsonValue | undefined {
  return typeof json === "string" ? (JSON.parse(json) as JsonValue) : (value as JsonValue | undefined);
}

let values = 0;
let characters = 0;
let textBytes = 0;

function isPlain(value: JsonValue | undefined, depth: number): boolean {
  if (++values > MAX_VALUES) return false;
  if (typeof value === "string") return isPlainText(value);
  // An integer too large for 32 bits is a double to the driver, and comes back as it was.
  if (typeof value !== "object" || value === null) return true;
  if (depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  for (const key of Object.keys(value)) {
    if (ODD_KEY.test(key) || !isPlainText(key)) return false;
    if (!isPlain((value as Readonly<Record<string, JsonValue>>)[key], depth + 1)) return false;
  }
  return true;
}

function isPlainText(text: string): boolean {
  characters += text.length;
  if (characters > MAX_CHARACTERS || !text.isWellFormed()) return false;
  textBytes += Buffer.byteLength(text);
  return true;
}
