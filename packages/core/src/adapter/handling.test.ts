import { describe, expect, test } from "vitest";
import { ACK, type DeliveryHandler, LEAVE, RETRY_AFTER_REJECTION, type Settlement } from "../ports/delivery.ts";
import { silentLogger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Handling } from "./handling.ts";
import { HeldDelivery } from "./held-delivery.ts";

function delivery(id: string): HeldDelivery<undefined> {
  return new HeldDelivery({ id, type: "t", body: new Uint8Array(), attempt: 1, sentAt: 0, raw: undefined });
}

/** A handling of two slots whose settlements wait in `settled` until they are let through. */
function stage(handle: DeliveryHandler) {
  const settled: { readonly id: string; readonly settlement: Settlement; readonly confirm: (error?: Error) => void }[] =
    [];
  const clock = new VirtualClock();
  let freed = 0;
  const handling = new Handling<undefined>({
    what: "a test",
    concurrency: 2,
    handle,
    settle: ({ id }, settlement) =>
      new Promise((resolve, reject) => {
        settled.push({ id, settlement, confirm: (error) => (error ? reject(error) : resolve()) });
      }),
    onFree: () => {
      freed++;
    },
    clock,
    logger: silentLogger,
  });
  return { handling, settled, clock, freed: () => freed };
}

describe("the deliveries in hand", () => {
  test("take a slot until the broker has their settlement", async () => {
    const { handling, settled, clock, freed } = stage(async () => ACK);
    handling.take(delivery("a"));
    await clock.settle();
    expect([handling.free, settled.length, freed()]).toEqual([1, 1, 0]);
    settled[0]?.confirm();
    await clock.settle();
    expect([handling.free, freed()]).toEqual([2, 1]);
  });

  test("a handler that rejects is settled as a counted retry", async () => {
    const { handling, settled, clock } = stage(async () => {
      throw new Error("no");
    });
    handling.take(delivery("a"));
    await clock.settle();
    expect(settled[0]?.settlement).toEqual(RETRY_AFTER_REJECTION);
  });

  test("what was lost aborts, and is not settled", async () => {
    let end = () => {};
    const { handling, settled, clock } = stage((held) => {
      const { signal } = held;
      expect(signal.aborted).toBe(false);
      return new Promise((resolve) => {
        end = () => resolve(ACK);
      });
    });
    const held = delivery("a");
    handling.take(held);
    handling.lose(() => true);
    expect(held.signal.aborted).toBe(true);
    end();
    await clock.settle();
    expect([settled.length, handling.free]).toEqual([0, 2]);
  });

  test("a settlement that fails frees its slot: the broker delivers it again", async () => {
    const { handling, settled, clock } = stage(async () => LEAVE);
    handling.take(delivery("a"));
    await clock.settle();
    settled[0]?.confirm(new Error("the connection is gone"));
    await clock.settle();
    expect(handling.free).toBe(2);
  });

  test("waiting for quiet tells at its limit how many handlers still run, and not those that only settle", async () => {
    let end = () => {};
    const { handling, settled, clock } = stage(({ id }) =>
      id === "quick"
        ? Promise.resolve(ACK)
        : new Promise((resolve) => {
            end = () => resolve(ACK);
          }),
    );
    handling.take(delivery("quick"));
    handling.take(delivery("slow"));
    await clock.settle();
    const limited = handling.quiet(100);
    const unlimited = handling.quiet(undefined);
    await clock.advance(100);
    expect(await limited).toEqual({ running: 1 });
    end();
    await clock.settle();
    for (const { confirm } of settled) confirm();
    expect(await unlimited).toEqual({ running: 0 });
  });
});
