import { IntermodalError } from "../errors.ts";
import type { JsonValue } from "../ports/json.ts";

/** A plain object of JSON: what an event's data is. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** Deeper values are refused: JSON that deep cannot be read back everywhere, and a circular value has no end. */
const MAX_DEPTH = 1_000;

/**
 * Copies a value as JSON would carry it. Properties that are `undefined` are left out, and -0 becomes 0; whatever else would change on the way, or
 * not arrive, is refused: bigint, NaN and infinite numbers, functions, symbols, Date, Map, Set and other instances of classes, `undefined` in arrays,
 * objects with a `toJSON`, circular values.
 * @param what names the value in the message, such as `input of task "book.import"`.
 * @throws `NOT_SERIALIZABLE` naming the path.
 */
export function toJson(value: unknown, what: string): JsonValue {
  const copied = copy(value, 0);
  if (copied === undefined) throw notSerializable(value, what);
  return copied;
}

/**
 * {@link toJson} for what has to be an object, such as the data of an event.
 * @throws `VALIDATION_FAILED` for another value, `NOT_SERIALIZABLE` naming the path.
 */
export function toJsonObject(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new IntermodalError("VALIDATION_FAILED", `${what} must be an object`);
  }
  return toJson(value, what) as JsonObject;
}

/** Says where a value does not survive JSON. */
export function notSerializable(value: unknown, what: string, cause?: unknown): IntermodalError {
  const { path, problem } = problemIn(value, "", 0) ?? { path: "", problem: "cannot be read" };
  return new IntermodalError(
    "NOT_SERIALIZABLE",
    `${what} does not survive JSON: ${path === "" ? "it" : path} ${problem}; convert it first, or use a transform in the schema`,
    { cause },
  );
}

export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The last: the plain objects of another realm (an iframe, a `vm` context).
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `undefined`: does not survive. Where and why is worked out only then. */
function copy(value: unknown, depth: number): JsonValue | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value + 0 : undefined;
    case "object":
      if (value === null) return null;
      if (depth === MAX_DEPTH) return undefined;
      return Array.isArray(value)
        ? copyArray(value, depth + 1)
        : copyObject(value as Record<string, unknown>, depth + 1);
    default:
      return undefined;
  }
}

function copyArray(array: readonly unknown[], depth: number): JsonValue | undefined {
  const copied: JsonValue[] = [];
  for (let index = 0; index < array.length; index++) {
    const item = copy(array[index], depth);
    if (item === undefined) return undefined;
    copied.push(item);
  }
  return copied;
}

function copyObject(object: Record<string, unknown>, depth: number): JsonValue | undefined {
  if (!isPlainObject(object)) return undefined;
  const copied: Record<string, JsonValue> = {};
  for (const key of Object.keys(object)) {
    const property = object[key];
    if (property === undefined) continue;
    const value = copy(property, depth);
    if (value === undefined) return undefined;
    setOwn(copied, key, value);
  }
  return copied;
}

/** Keys come from others: `__proto__` must be a key like any other. */
export function setOwn(target: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

interface Problem {
  readonly path: string;
  readonly problem: string;
}

function problemIn(value: unknown, path: string, depth: number): Problem | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path, problem: `is ${value}` };
    case "object":
      if (value === null) return undefined;
      if (depth === MAX_DEPTH)
        return { path: shorten(path), problem: `is circular or nested deeper than ${MAX_DEPTH} levels` };
      return Array.isArray(value) ? problemInArray(value, path, depth + 1) : problemInObject(value, path, depth + 1);
    case "undefined":
      return { path, problem: "is undefined" };
    default:
      return { path, problem: `is a ${typeof value}` };
  }
}

function problemInArray(array: readonly unknown[], path: string, depth: number): Problem | undefined {
  for (let index = 0; index < array.length; index++) {
    const problem = problemIn(array[index], `${path}[${index}]`, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemInObject(object: object, path: string, depth: number): Problem | undefined {
  if (!isPlainObject(object)) return { path, problem: `is an instance of ${object.constructor?.name || "a class"}` };
  for (const [key, property] of Object.entries(object)) {
    if (property === undefined) continue;
    const problem = problemIn(property, path === "" ? key : `${path}.${key}`, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function shorten(path: string): string {
  return path.length <= 100 ? path : `${path.slice(0, 100)}…`;
}
