import type { JsonObject } from "../wire/json.ts";
import { checkName } from "../wire/names.ts";
import type { JsonData } from "./json.ts";
import { checkSchema, type Schema, type SchemaInput, type SchemaOutput } from "./schema.ts";
import { checkVersion } from "./version.ts";

/** What an event's contract says. */
export interface EventOptions<Data extends Schema | undefined = undefined> {
  /**
   * `major.minor`, stamped on what is published. A listener takes all minors of its major unless it says otherwise.
   * @default "1.0"
   */
  readonly version?: string | undefined;
  /** Of the payload, an object. Its input type is sent, so it must survive JSON. Absent: any plain object. */
  readonly data?: JsonData<Data> | undefined;
}

/** A message for every listener. */
export interface EventContract<Data extends Schema | undefined = Schema | undefined> {
  readonly kind: "event";
  readonly name: string;
  readonly version: string;
  readonly data: Data;
}

/** The contract of some event. */
export type AnyEventContract = EventContract;

/** What `publish` takes. */
export type EventData<C extends AnyEventContract> = [C["data"]] extends [undefined]
  ? JsonObject
  : SchemaInput<NonNullable<C["data"]>>;
/** What a listener gets as `event.data`. */
export type EventPayload<C extends AnyEventContract> = [C["data"]] extends [undefined]
  ? JsonObject
  : SchemaOutput<NonNullable<C["data"]>>;

/**
 * Says what an event is called and carries.
 * @throws `INVALID_NAME`, `CONFIG_INVALID`.
 */
export function defineEvent<Data extends Schema | undefined = undefined>(
  name: string,
  options: EventOptions<Data> = {},
): EventContract<Data> {
  checkName("the event name", name);
  const what = `event "${name}"`;
  const { version = "1.0", data } = options;
  if (data !== undefined) checkSchema(`the data of ${what}`, data);
  return { kind: "event", name, version: checkVersion(what, version), data: data as Data };
}
