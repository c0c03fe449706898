import { type DeliveryHandler, IntermodalError, type Settlement } from "@intermodal/core/ports";
import { override, perServer } from "./sabotage.ts";
import type { Break } from "./sending.ts";

const replayed = perServer(() => new Map<string, number>());
const listed = perServer(() => new Set<string>());

/** At most `slots` at once; the others wait here, in this client's hands. */
function limited(handle: DeliveryHandler, slots: number): DeliveryHandler {
  let free = slots;
  const waiting: (() => void)[] = [];
  return async (delivery) => {
    if (free === 0) await new Promise<void>((go) => waiting.push(go));
    else free--;
    try {
      return await handle(delivery);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/** Broken promises about consumptions and dead letters, which either bus can break. */
export const CONSUMING: readonly Break[] = [
  [
    "takes more than it can handle",
    ["slow-stalls-nobody", "close-hands-back"],
    () => ({ consume: (consume, handle, concurrency) => consume(limited(handle, concurrency), concurrency + 20) }),
  ],
  [
    "handles more at once than it may",
    ["concurrency"],
    () => ({ consume: (consume, handle, concurrency) => consume(handle, concurrency + 1) }),
  ],
  ["handles one after the other", ["concurrency"], () => ({ consume: (consume, handle) => consume(handle, 1) })],
  [
    "does not wait for handlers when it closes",
    ["close-drains"],
    () => ({
      consume: async (consume, handle, concurrency) => {
        const consumption = await consume(handle, concurrency);
        return override(consumption, { close: () => consumption.close({ timeoutMs: 0 }) });
      },
    }),
  ],
  [
    "takes new messages while it closes",
    ["close-drains"],
    (server) => ({
      consume: async (consume, handle, concurrency) => {
        const consumption = await consume(handle, concurrency + 1);
        return override(consumption, {
          close: async (options) => {
            await new Promise<void>((resume) => server.clock.schedule(options?.timeoutMs ? 500 : 0, resume));
            return await consumption.close(options);
          },
        });
      },
    }),
  ],
  [
    "gives away what still runs when it closes",
    ["close-hands-back"],
    () => ({
      consume: async (consume, handle, concurrency) => {
        const closed = Promise.withResolvers<Settlement>();
        const consumption = await consume((delivery) => Promise.race([handle(delivery), closed.promise]), concurrency);
        return override(consumption, {
          close: async (options) => {
            const { running } = await consumption.close(options);
            closed.resolve({ kind: "retry", delayMs: 0, counted: false });
            return { running };
          },
        });
      },
    }),
  ],
  [
    "stays away once its connection was lost",
    ["cut-before-ack", "long-outage", "restart-under-load"],
    (_, adapter) => ({
      consume: async (consume, handle, concurrency) => {
        const consumption = await consume(handle, concurrency);
        adapter.connection.onLost(() => void consumption.close());
        return consumption;
      },
    }),
  ],
  [
    "gives up where the broker is not there at the start",
    ["booted-first"],
    (_, adapter) => ({
      consume: async (consume, handle, concurrency) => {
        if (!adapter.connection.isUp) throw new IntermodalError("UNAVAILABLE", "the broker is not there");
        return consume(handle, concurrency);
      },
    }),
  ],
  [
    "forgets the second line of a reason",
    ["dead-letter-once"],
    () => ({
      deadLetters: (original) => ({
        list: async (place, options) => {
          const page = await original.list(place, options);
          return {
            ...page,
            items: page.items.map((letter) => ({ ...letter, reason: letter.reason.replace(/\n.*/s, "") })),
          };
        },
      }),
    }),
  ],
  [
    "keeps a dead letter twice",
    ["dead-letter-once", "dead-letter-pages"],
    () => ({
      deadLetters: (original) => ({
        list: async (place, options) => {
          const page = await original.list(place, options);
          return { ...page, items: page.items.flatMap((letter) => [letter, letter]) };
        },
      }),
    }),
  ],
  [
    "lists the first page only",
    ["dead-letter-pages"],
    () => ({
      deadLetters: (original) => ({
        list: async (place, options) => ({ items: (await original.list(place, options)).items }),
      }),
    }),
  ],
  [
    "hides a dead letter once it was listed",
    ["dead-letter-pages", "dead-letter-discard"],
    (server) => ({
      deadLetters: (original) => ({
        list: async (place, options) => {
          const page = await original.list(place, options);
          const hidden = listed(server);
          const items = page.items.filter(({ deadLetterId }) => !hidden.has(deadLetterId));
          if (items.length > 2) for (const { deadLetterId } of items) hidden.add(deadLetterId);
          return { ...page, items };
        },
      }),
    }),
  ],
  [
    "goes on counting after a replay",
    ["dead-letter-replay"],
    (server) => ({
      deadLetters: (original) => ({
        replay: async (place, deadLetterIds) => {
          for (const { id, attempts } of (await original.list(place)).items) replayed(server).set(id, attempts);
          return original.replay(place, deadLetterIds);
        },
      }),
      handle: (handle) => (delivery) =>
        handle(override(delivery, { attempt: delivery.attempt + (replayed(server).get(delivery.id) ?? 0) })),
    }),
  ],
  [
    "loses what it replays",
    ["dead-letter-replay"],
    () => ({
      deadLetters: (original) => ({ replay: (place, deadLetterIds) => original.discard(place, deadLetterIds) }),
    }),
  ],
  [
    "discards all instead of some",
    ["dead-letter-discard"],
    () => ({
      deadLetters: (original) => ({
        discard: async (place, deadLetterIds) => {
          const { items } = await original.list(place);
          await original.discard(
            place,
            items.map(({ deadLetterId }) => deadLetterId),
          );
          return items.filter(({ deadLetterId }) => deadLetterIds.includes(deadLetterId)).length;
        },
      }),
    }),
  ],
];
