import { IntermodalError, isIntermodalError, sleep } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { type BusName, type BusParts, withBus, withoutSuffix } from "./bus.ts";
import { override, perServer, type Sabotage } from "./sabotage.ts";

export type Break = readonly [
  name: string,
  breaks: readonly string[],
  parts: (server: MemoryServer, adapter: MemoryAdapter) => BusParts,
];

/** Sabotages of one bus; the cases that must fail are named without their prefix. */
export function sabotagesOf(subject: BusName, breaks: readonly Break[]): Sabotage[] {
  const prefix = subject === "commandBus" ? "command-bus" : "event-bus";
  return breaks.map(([name, caseNames, parts]) => ({
    name: `${prefix} ${name}`,
    subject,
    breaks: caseNames.map((caseName) => `${prefix}/${caseName}`),
    wrap: (adapter, server) => withBus(adapter, subject, parts(server, adapter)),
  }));
}

const knownNames = perServer(() => new Set<string>());
let copies = 0;

/** Broken promises about taking messages, which either bus can break. */
export const SENDING: readonly Break[] = [
  [
    "resolves a send before the broker has the message",
    ["survives-sender", "payload-limit", "send-while-away"],
    (server) => ({
      send: async (messages, send) => {
        void sleep(server.clock, 50)
          .then(() => send(messages))
          .catch(() => {});
      },
    }),
  ],
  [
    "loses every fiftieth message",
    ["one-worker-each", "survives-sender", "restart-under-load"],
    () => {
      let count = 0;
      return { send: (messages, send) => send(messages.filter(() => ++count % 50 !== 0)) };
    },
  ],
  [
    "takes bytes for text",
    ["any-bytes", "retry-delayed", "dead-letter-once"],
    () => ({
      send: (messages, send) =>
        send(
          messages.map((message) => ({
            ...message,
            body: new TextEncoder().encode(new TextDecoder().decode(message.body)),
          })),
        ),
    }),
  ],
  [
    "refuses a whole batch for one message that is too large",
    ["payload-limit"],
    (server) => ({
      send: async (messages, send) => {
        if (messages.some(({ body }) => body.length > server.limits.maxPayloadBytes)) {
          throw new IntermodalError("PAYLOAD_TOO_LARGE", "one of the batch is too large");
        }
        return send(messages);
      },
    }),
  ],
  [
    "takes a message that is sent again for another one",
    ["resend", "cut-before-confirm"],
    () => ({
      send: (messages, send) => send(messages.map((message) => ({ ...message, id: `${message.id}#${++copies}` }))),
      handle: (handle) => (delivery) => handle(override(delivery, { id: withoutSuffix(delivery.id) })),
    }),
  ],
  [
    "takes another sending of the same task for the same message",
    ["resend"],
    (server) => ({
      send: (messages, send) =>
        send(
          messages.filter(({ id }) => {
            const name = id.replace(/:\d+$/, "");
            const known = name !== id && knownNames(server).has(name);
            knownNames(server).add(name);
            return !known;
          }),
        ),
    }),
  ],
  [
    "forgets what is sent while the broker is away",
    ["send-while-away", "restart-under-load"],
    (_, adapter) => ({ send: async (messages, send) => (adapter.connection.isUp ? send(messages) : undefined) }),
  ],
  [
    "does not say that an answer was lost",
    ["cut-before-confirm"],
    () => ({
      send: (messages, send) =>
        send(messages).catch((error: unknown) => {
          if (isIntermodalError(error, "UNAVAILABLE")) throw new IntermodalError("UNAVAILABLE", error.message);
          throw error;
        }),
    }),
  ],
];
