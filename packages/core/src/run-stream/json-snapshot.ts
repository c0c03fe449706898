import { IntermodalError, messageOf } from "../errors.ts";
import type { JsonValue } from "../ports/json.ts";

/** What is nested deeper than this takes the slow road, which knows circles. */
const MAX_FAST_DEPTH = 64;

/** JSON data as it was at one moment. */
export interface JsonSnapshot {
  readonly value: JsonValue;
  /** About how many characters it has as JSON; as UTF-8 it is never longer than six times this. */
  readonly size: number;
}

/**
 * Copies data as a trip through JSON would, so that what the caller changes later stays out of it, and measures it on the way.
 * @throws `NOT_SERIALIZABLE` for what JSON cannot say (a bigint, a circle).
 */
export function snapshotJson(what: string, data: unknown): JsonSnapshot {
  try {
    const copier = new Copier();
    const value = copier.copy(data, 0) ?? null;
    return { value, size: copier.size };
  } catch (error) {
    throw new IntermodalError("NOT_SERIALIZABLE", `${what} cannot be written as JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

class Copier {
  size = 0;

  /** `undefined` for what JSON leaves out. */
  copy(value: unknown, depth: number): JsonValue | undefined {
    switch (typeof value) {
      case "string":
        this.size += value.length + 2;
        return value;
      case "number":
        this.size += 8;
        return Number.isFinite(value) ? value : null;
      case "boolean":
        this.size += 5;
        return value;
      case "object":
        if (value === null) {
          this.size += 4;
          return null;
        }
        if (depth > MAX_FAST_DEPTH) return this.#viaJson(value);
        return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth);
      case "bigint":
        throw new TypeError("a bigint has no JSON form");
      default:
        return undefined;
    }
  }

  #array(items: readonly unknown[], depth: number): JsonValue {
    this.size += 2 + items.length;
    const copied: JsonValue[] = [];
    for (const item of items) copied.push(this.copy(item, depth + 1) ?? null);
    return copied;
  }

  #object(source: object, depth: number): JsonValue | undefined {
    const prototype: unknown = Object.getPrototypeOf(source);
    const plain = prototype === Object.prototype || prototype === null;
    if (!plain || "toJSON" in source || Object.hasOwn(source, "__proto__")) return this.#viaJson(source);
    this.size += 2;
    const copied: Record<string, JsonValue> = {};
    for (const key in source) {
      const value = this.copy((source as Record<string, unknown>)[key], depth + 1);
      if (value === undefined) continue;
      this.size += key.length + 4;
      copied[key] = value;
    }
    return copied;
  }

  #viaJson(value: object): JsonValue | undefined {
    const json = JSON.stringify(value) as string | undefined;
    if (json === undefined) return undefined;
    this.size += json.length;
    return JSON.parse(json) as JsonValue;
  }
}
