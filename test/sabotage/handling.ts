import { ACK, type Delivery, type DeliveryHandler, LEAVE, type Settlement, sleep } from "@intermodal/core/ports";
import type { MemoryConnection } from "../../packages/core/src/memory/connection.ts";
import { withoutSuffix } from "./bus.ts";
import { override, perServer } from "./sabotage.ts";
import type { Break } from "./sending.ts";

/** Changes what the handler decided. */
function settling(change: (settlement: Settlement, delivery: Delivery) => Settlement | Promise<Settlement>) {
  return (handle: DeliveryHandler): DeliveryHandler =>
    async (delivery) =>
      change(await handle(delivery), delivery);
}

/** Changes what the handler is given. */
function delivering(change: (delivery: Delivery) => Partial<Delivery>) {
  return (handle: DeliveryHandler): DeliveryHandler =>
    (delivery) =>
      handle(override(delivery, change(delivery)));
}

function retryDelay(change: (delayMs: number) => number) {
  return settling((settlement) =>
    settlement.kind === "retry" ? { ...settlement, delayMs: change(settlement.delayMs) } : settlement,
  );
}

const holders = perServer(() => new Map<string, { readonly connection: MemoryConnection; readonly since: number }>());
const blocked = perServer(() => new Map<string, string>());
let copies = 0;

/** Broken promises about handing out and settling messages, which either bus can break. */
export const HANDLING: readonly Break[] = [
  [
    "hands each message to two",
    ["one-worker-each", "long-handler"],
    () => ({
      handle: (handle) => async (delivery) => {
        await handle(delivery);
        return handle(delivery);
      },
    }),
  ],
  [
    "acknowledges before the handler has resolved",
    ["ack-after-handler", "attempts", "dead-worker", "abort-signal"],
    () => ({
      handle: (handle) => async (delivery) => {
        void handle(delivery).catch(() => {});
        return ACK;
      },
    }),
  ],
  [
    "retries early",
    ["retry-delayed", "short-retry-passes-long", "many-delayed-retries"],
    () => ({ handle: retryDelay((delayMs) => delayMs / 2) }),
  ],
  [
    "retries late",
    ["retry-delayed", "short-retry-passes-long"],
    () => ({ handle: retryDelay((delayMs) => delayMs * 1.5 + 1_500) }),
  ],
  [
    "forgets the attempts",
    ["attempts", "dead-worker", "dead-letter-replay"],
    () => ({ handle: delivering(() => ({ attempt: 1 })) }),
  ],
  [
    "counts every retry",
    ["attempts", "come-back-later"],
    () => ({
      handle: settling((settlement) => (settlement.kind === "retry" ? { ...settlement, counted: true } : settlement)),
    }),
  ],
  [
    "counts the delivery of a message that was refused",
    ["dead-letter-once"],
    () => ({
      handle: settling((settlement) =>
        settlement.kind === "dead-letter" ? { ...settlement, attempts: undefined } : settlement,
      ),
    }),
  ],
  [
    "stamps each delivery anew",
    ["retry-delayed"],
    (server) => ({ handle: delivering(() => ({ sentAt: server.clock.now() })) }),
  ],
  [
    "waits for a retry's time in the worker's slot",
    ["short-retry-passes-long", "many-delayed-retries"],
    (server) => ({
      handle: settling(async (settlement) => {
        if (settlement.kind !== "retry") return settlement;
        await sleep(server.clock, settlement.delayMs);
        return { ...settlement, delayMs: 0 };
      }),
    }),
  ],
  [
    "lets everything wait behind a message that fails",
    ["failing-stalls-nobody", "come-back-later"],
    (server) => ({
      handle: (handle, place) => async (delivery) => {
        const first = blocked(server).get(place);
        if (first !== undefined && first !== delivery.id) return { kind: "retry", delayMs: 50, counted: false };
        blocked(server).set(place, delivery.id);
        const settlement = await handle(delivery).catch(
          (): Settlement => ({ kind: "retry", delayMs: 1_000, counted: true }),
        );
        if (settlement.kind !== "retry") blocked(server).delete(place);
        return settlement;
      },
    }),
  ],
  [
    "makes of `leave` an acknowledgement",
    ["leave"],
    () => ({ handle: settling((settlement) => (settlement === LEAVE ? ACK : settlement)) }),
  ],
  [
    "returns the message on `leave`",
    ["leave"],
    () => ({
      handle: settling((settlement) =>
        settlement === LEAVE ? { kind: "retry", delayMs: 100, counted: false } : settlement,
      ),
    }),
  ],
  [
    "does not renew",
    ["long-handler", "close-hands-back"],
    (server) => ({
      handle: (handle) => (delivery) => {
        const lapsed = sleep(server.clock, server.limits.leaseMs).then(
          (): Settlement => ({ kind: "retry", delayMs: 0, counted: true }),
        );
        return Promise.race([handle(delivery), lapsed]);
      },
    }),
  ],
  [
    "keeps for a dead worker what it held",
    ["ack-after-handler", "dead-worker", "abort-signal", "lost-settles-nothing"],
    (server, { connection }) => ({
      handle: (handle, place) => async (delivery) => {
        const known = holders(server);
        const key = `${place} ${delivery.id}`;
        const holder = known.get(key);
        const isGone = holder !== undefined && holder.connection !== connection && !holder.connection.isUp;
        if (isGone && server.clock.now() < holder.since + 60_000)
          return { kind: "retry", delayMs: 5_000, counted: false };
        known.set(key, { connection, since: server.clock.now() });
        return handle(delivery);
      },
    }),
  ],
  [
    "never aborts the signal",
    ["abort-signal"],
    () => ({ handle: delivering(() => ({ signal: new AbortController().signal })) }),
  ],
  [
    "aborts the signal of a live holder",
    ["abort-signal", "long-handler", "close-hands-back"],
    (server) => ({
      handle: delivering(() => {
        const controller = new AbortController();
        server.clock.schedule(500, () => controller.abort());
        return { signal: controller.signal };
      }),
    }),
  ],
  [
    "settles for a holder that has lost the message",
    ["lost-settles-nothing"],
    (_, adapter) => ({
      handle: (handle) => async (delivery) => {
        const own = override(delivery, { id: withoutSuffix(delivery.id) });
        const settlement = await handle(own);
        const copy = { id: `${own.id}#${++copies}`, type: own.type, body: own.body };
        if (own.signal.aborted && settlement.kind === "retry") {
          await adapter.commandBus.send([{ queue: "work", ...copy }]);
          await adapter.eventBus.publish([copy]);
        }
        return settlement;
      },
    }),
  ],
];
