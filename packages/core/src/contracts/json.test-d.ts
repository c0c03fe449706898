import { expectTypeOf } from "vitest";
import type { JsonValue } from "../ports/json.ts";
import type { JsonOf, NotJson } from "./json.ts";

// What survives comes back as itself.
interface Book {
  readonly id: string;
  readonly pages: readonly { readonly text: string; note?: string }[];
  parent?: Book | undefined;
}
type Id = string & { readonly brand: unique symbol };
declare const brand: unique symbol;
type Branded = { a: string } & { [brand]: "A" };

expectTypeOf<JsonOf<string>>().toEqualTypeOf<string>();
expectTypeOf<JsonOf<"a" | 1 | true | null>>().toEqualTypeOf<"a" | 1 | true | null>();
expectTypeOf<Book>().toExtend<JsonOf<Book>>();
expectTypeOf<JsonOf<Id>>().toEqualTypeOf<Id>();
expectTypeOf<Branded>().toExtend<JsonOf<Branded>>();
expectTypeOf<JsonValue>().toExtend<JsonOf<JsonValue>>();
expectTypeOf<JsonOf<[string, number?]>>().toExtend<readonly unknown[]>();
expectTypeOf<[string, number?]>().toExtend<JsonOf<[string, number?]>>();
expectTypeOf<JsonOf<unknown>>().toBeUnknown();
expectTypeOf<JsonOf<{ deep: unknown }>>().toEqualTypeOf<{ deep: unknown }>();
// biome-ignore lint/suspicious/noExplicitAny: what a schema without types gives
expectTypeOf<JsonOf<any>>().toBeAny();
expectTypeOf<JsonOf<never>>().toBeNever();

// What does not is a message where it stands.
expectTypeOf<JsonOf<{ at: Date; name: string }>>().toEqualTypeOf<{ at: NotJson<"Date">; name: string }>();
expectTypeOf<JsonOf<{ at?: Date }>>().toEqualTypeOf<{ at?: NotJson<"Date"> }>();
expectTypeOf<JsonOf<(string | undefined)[]>>().toEqualTypeOf<readonly (string | NotJson<"undefined">)[]>();
expectTypeOf<JsonOf<{ size: bigint | number }>>().toEqualTypeOf<{ size: number | NotJson<"bigint"> }>();
expectTypeOf<JsonOf<Map<string, string>>>().toEqualTypeOf<NotJson<"Map">>();
expectTypeOf<JsonOf<ReadonlySet<string>>>().toEqualTypeOf<NotJson<"Set">>();
expectTypeOf<JsonOf<ArrayBuffer>>().toEqualTypeOf<NotJson<"binary data">>();
expectTypeOf<JsonOf<URL>>().toEqualTypeOf<NotJson<"an object with toJSON">>();
expectTypeOf<JsonOf<{ call(): void }>>().toEqualTypeOf<{ call: NotJson<"a function"> }>();
expectTypeOf<JsonOf<{ symbol: symbol }>>().toEqualTypeOf<{ symbol: NotJson<"a symbol"> }>();
