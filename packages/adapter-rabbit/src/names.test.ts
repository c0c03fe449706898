import { expect, test } from "vitest";
import { Names } from "./names.ts";

test("names say what they are of", () => {
  const names = new Names("shop");
  expect(names.queue("orders.eu")).toEqual({
    name: "orders.eu",
    what: 'queue "orders.eu"',
    queue: "intermodal.shop.queue.orders.eu",
    dead: "intermodal.shop.queue-dead.orders.eu",
    lock: "intermodal.shop.queue-lock.orders.eu",
  });
  expect(names.listener({ service: "billing", listener: "mail.er" }).queue).toBe(
    "intermodal.shop.listener.billing.mail.er",
  );
  expect([names.direct, names.rung(100)]).toEqual(["intermodal.shop.direct", "intermodal.shop.delay.100"]);
});

test("no two places of any namespaces meet", () => {
  const parts = ["a", "b", "a.b", "b.a", "queue", "queue-dead", "dead.a", "listener.a", "a-b"];
  const seen = new Map<string, string>();
  const note = (name: string, of: string) => {
    expect([seen.get(name), of]).toEqual([undefined, of]);
    seen.set(name, of);
  };
  for (const namespace of parts) {
    const names = new Names(namespace);
    note(names.direct, namespace);
    note(names.due, namespace);
    for (const first of parts) {
      const { queue, dead, lock } = names.queue(first);
      for (const name of [queue, dead, lock]) note(name, `${namespace}: ${first}`);
      for (const second of parts) {
        const place = names.listener({ service: first, listener: second });
        for (const name of [place.queue, place.dead, place.lock]) note(name, `${namespace}: ${first}/${second}`);
      }
    }
  }
});

test("what would be longer than AMQP allows is refused", () => {
  const long = "x".repeat(128);
  const names = new Names(long);
  expect(() => names.queue(long)).toThrow(expect.objectContaining({ code: "INVALID_NAME" }));
});
