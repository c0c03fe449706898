import type { Schema, SchemaInput } from "./schema.ts";

/** What the compiler shows as the expected type where a type does not survive a trip through JSON. */
export type NotJson<What extends string> = `${What} does not survive JSON: use a transform`;

/**
 * The type itself where a value of it survives a trip through JSON; else the same type with a message, {@link NotJson}, in place of each part
 * that does not. Found: Date and whatever else has a `toJSON`, bigint, symbol, functions and methods, Map, Set, binary data, and `undefined`
 * where it is neither a property nor a whole result. `any` and `unknown` pass, to be checked when they are sent; so do instances of classes that look like plain data.
 */
export type JsonOf<T> = unknown extends T ? T : JsonPart<T>;

type JsonPart<T> = T extends string | number | boolean | null
  ? T
  : T extends undefined
    ? NotJson<"undefined">
    : T extends bigint
      ? NotJson<"bigint">
      : T extends symbol
        ? NotJson<"a symbol">
        : T extends (...args: never[]) => unknown
          ? NotJson<"a function">
          : T extends object
            ? JsonOfObject<T>
            : NotJson<"this">;

type JsonOfObject<T extends object> = T extends Date
  ? NotJson<"Date">
  : T extends ReadonlyMap<unknown, unknown>
    ? NotJson<"Map">
    : T extends ReadonlySet<unknown>
      ? NotJson<"Set">
      : T extends ArrayBufferView | ArrayBufferLike
        ? NotJson<"binary data">
        : T extends readonly unknown[]
          ? JsonOfList<T>
          : T extends { readonly toJSON: (...args: never[]) => unknown }
            ? NotJson<"an object with toJSON">
            : { [K in keyof T]: K extends symbol ? T[K] : JsonProperty<T[K]> };

/** Written so that the compiler puts off lists within lists of the same type. */
type JsonOfList<T extends readonly unknown[]> = number extends T["length"]
  ? readonly JsonOf<T[number]>[]
  : { [K in keyof T]: JsonOf<T[K]> };

/** JSON drops a property that is undefined, which reads the same. */
type JsonProperty<T> = unknown extends T ? T : T extends undefined ? T : JsonPart<T>;

/** A whole value may be absent: a handler that returns nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: what z.void() takes
type JsonOrNothing<T> = unknown extends T ? T : T extends undefined ? T : [T] extends [void] ? T : JsonPart<T>;

/** An event's data reaches listeners as a plain object. */
type JsonObjectOf<T> = unknown extends T
  ? T
  : T extends readonly unknown[] | string | number | boolean | null | undefined
    ? "the data of an event must be an object"
    : JsonPart<T>;

/** The schema that the compiler asks for instead of one whose input does not survive. */
export interface SurvivesJson<Input> {
  readonly "~standard": { readonly types?: { readonly input: Input } | undefined };
}

type Checked<S extends Schema, Input> = [SchemaInput<S>] extends [Input] ? S : SurvivesJson<Input>;

/** The schema itself where its input survives JSON: what a caller passes is what is sent. */
export type JsonInput<S extends Schema> = Checked<S, JsonOf<SchemaInput<S>>>;
/** The same for results: what a handler returns is what is stored. */
export type JsonOutput<S extends Schema | undefined> = [S] extends [Schema]
  ? Checked<S, JsonOrNothing<SchemaInput<S>>>
  : S;
/** The same for an event's data. */
export type JsonData<S extends Schema | undefined> = [S] extends [Schema]
  ? Checked<S, JsonObjectOf<SchemaInput<S>>>
  : S;
