import type {
  Adapter,
  Consumption,
  DeadLetter,
  DeadLetters,
  DeliveryHandler,
  Page,
  PageOptions,
} from "@intermodal/core/ports";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";

export interface Message {
  readonly id: string;
  /** @default "probe" */
  readonly type?: string;
  /** @default the id as UTF-8 */
  readonly body?: Uint8Array;
}

/** What a bus declares of the handing out of messages. */
export interface PlaceCapabilities {
  readonly dedupeWindowMs: number;
  readonly maxDelayMs: number;
  readonly maxPayloadBytes: number;
  readonly leaseMs: number;
}

/**
 * One queue or one listener, with a client that sends to it: what both buses promise alike about handing out messages is put to the test
 * once. Messages that are sent wait there, although nobody has consumed it yet.
 */
export interface Place {
  readonly sender: Adapter;
  readonly capabilities: PlaceCapabilities;
  send(messages: readonly (string | Message)[], from?: Adapter): Promise<void>;
  consume(adapter: Adapter, concurrency: number, handle: DeliveryHandler): Promise<Consumption>;
  readonly dead: PlaceDeadLetters;
}

/** The dead letters of one place. */
export interface PlaceDeadLetters {
  list(options?: PageOptions): Promise<Page<DeadLetter>>;
  replay(deadLetterIds: readonly string[]): Promise<number>;
  discard(deadLetterIds: readonly string[]): Promise<number>;
}

/** Either bus. */
export interface Bus {
  readonly subject: "commandBus" | "eventBus";
  /** What the ids of its cases begin with. */
  readonly prefix: string;
  open(t: CaseContext): Promise<Place>;
}

export interface DeliveryCase {
  /** The last part of the case's id. */
  readonly name: string;
  readonly guarantees: Readonly<Record<Bus["subject"], readonly string[]>>;
  readonly title: string;
  readonly needs?: readonly FaultName[];
  run(t: CaseContext, place: Place): Promise<void>;
}

/** A promise that both buses make: one case for each. */
export function deliveryCase(definition: DeliveryCase): (bus: Bus) => ConformanceCase {
  return (bus) => ({
    id: `${bus.prefix}/${definition.name}`,
    subject: bus.subject,
    guarantees: definition.guarantees[bus.subject],
    title: definition.title,
    ...(definition.needs && { needs: definition.needs }),
    run: async (t) => definition.run(t, await bus.open(t)),
  });
}

/** The dead letters of a place, of a client's. */
export function deadLettersAt(deadLetters: DeadLetters, place: string): PlaceDeadLetters {
  return {
    list: (options) => deadLetters.list(place, options),
    replay: (ids) => deadLetters.replay(place, ids),
    discard: (ids) => deadLetters.discard(place, ids),
  };
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A message with everything filled in. */
export function filled(message: string | Message): Required<Message> {
  const { id, type = "probe", body = utf8(id) } = typeof message === "string" ? { id: message } : message;
  return { id, type, body };
}

/** `count` ids that begin alike. */
export function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}-${at + 1}`);
}
