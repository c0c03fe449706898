import { IntermodalError } from "../errors.ts";
import type { JsonValue } from "../ports/json.ts";
import { toJson } from "../wire/json.ts";

/**
 * Takes a payload over from its caller: a copy that nobody else can change.
 * @throws `PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`.
 */
export function takePayload(value: JsonValue, maxBytes: number, what: string): JsonValue {
  const copy = toJson(value, what);
  if (isLonger(copy, maxBytes)) {
    throw new IntermodalError(
      "PAYLOAD_TOO_LARGE",
      `the ${what} is longer than ${maxBytes} bytes of JSON; keep it elsewhere and pass a reference`,
    );
  }
  return copy;
}

/** Hands a payload of the store out: a copy that its receiver may change. */
export function copyPayload<Value extends JsonValue | undefined>(value: Value): Value;
export function copyPayload(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyPayload);
  // Spreading and assigning to own properties keeps a key like `__proto__` an ordinary one.
  const copy: Record<string, JsonValue | undefined> = { ...(value as Record<string, JsonValue>) };
  for (const key in copy) {
    const property = copy[key];
    if (typeof property === "object" && property !== null) copy[key] = copyPayload(property);
  }
  return copy;
}

/** Makes a payload that many read unchangeable. */
export function freezePayload<Value extends JsonValue>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const item of Array.isArray(value) ? value : Object.values(value)) freezePayload(item);
  return Object.freeze(value);
}

/** The bytes that one UTF-16 unit takes in JSON at the most: `\u0000`. */
const MAX_UNIT_BYTES = 6;
const MAX_NUMBER_BYTES = 24;

/** Whether a value is longer than this as JSON. Bounds come first, which settle it for all but the longest; only between them the JSON is really made. */
export function isLonger(value: JsonValue, maxBytes: number): boolean {
  least = 0;
  most = 0;
  measure(value);
  if (least > maxBytes) return true;
  return most > maxBytes && new TextEncoder().encode(JSON.stringify(value)).length > maxBytes;
}

let least = 0;
let most = 0;

function measure(value: JsonValue | undefined): void {
  switch (typeof value) {
    case "string":
      least += value.length + 2;
      most += value.length * MAX_UNIT_BYTES + 2;
      return;
    case "number":
      least += 1;
      most += MAX_NUMBER_BYTES;
      return;
    case "object":
      if (value !== null) {
        measureObject(value);
        return;
      }
      least += 4;
      most += 4;
      return;
    default:
      least += 4;
      most += 5;
  }
}

/** Brackets, and per item a comma and perhaps a key with its quotes and colon; the last comma isn't there. */
function measureObject(value: JsonValue & object): void {
  least += 1;
  most += 2;
  if (Array.isArray(value)) {
    for (const item of value) measure(item);
    least += value.length;
    most += value.length;
    return;
  }
  for (const key in value) {
    least += key.length + 4;
    most += key.length * MAX_UNIT_BYTES + 4;
    measure((value as Record<string, JsonValue>)[key]);
  }
}
