import { defineCommand, defineEvent, exponential } from "@intermodal/core";
import { z } from "zod";

export const APP = "torture";
export const QUEUE = "torture";
export const MAX_ATTEMPTS = 5;

const retry = { maxAttempts: MAX_ATTEMPTS, backoff: exponential({ initialMs: 100, maxMs: 1_000 }) };
const message = z.object({ seed: z.int(), index: z.int() });

export const command = defineCommand("torture.command", { queue: QUEUE, input: message, retry });
export const event = defineEvent("torture.event", { data: message });
export const listening = { retry } as const;

/** An id that tells its message, so that an id and a body which don't belong together are noticed. */
export function idOf(seed: number, index: number): string {
  return `${seed}-${index}`;
}

/** What a process of a run is told, as JSON in the environment. */
export interface Settings {
  readonly seed: number;
  readonly kind: "commands" | "events";
  readonly messages: number;
  readonly url: string;
  readonly namespace: string;
  /** The file it notes things in. */
  readonly ledger: string;
  /** The listener of a consumer of events. */
  readonly group: string;
  /** Of NATS: RabbitMQ notices by itself that a worker has gone. */
  readonly leaseMs?: number | undefined;
}

export const SETTINGS = "INTERMODAL_TORTURE";
