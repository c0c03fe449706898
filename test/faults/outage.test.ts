import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { distinct } from "./actor-process.ts";
import { command, event, numbers } from "./contracts.ts";
import { FULL, onEachBroker } from "./each-broker.ts";
import { Sendings } from "./sendings.ts";
import type { Stage } from "./stage.ts";

const OUTAGE_MS = FULL ? 45_000 : 12_000;
const MESSAGES = FULL ? 500 : 40;
/** From when the broker answers again until everybody works again. */
const BACK_MS = 30_000;
/** The default time-out of a send, and what a busy machine adds to it. */
const SEND_MS = 15_000;
/** Often while the broker goes, so that answers are lost; later only as often as apps do. */
const GOING = { forMs: 1_000, everyMs: 2 };
const GONE = { forMs: OUTAGE_MS, everyMs: 100 };

onEachBroker("its worker comes back after a long outage", { server: {} }, async (stage) => {
  const worker = await stage.actor();
  const listener = await stage.actor({ listener: "audit" });
  const app = await stage.app();
  const sendAll = (messages: readonly number[]) =>
    Promise.all(messages.flatMap((n) => [app.send(command, { n }), app.publish(event, { n })]));
  const handled = (messages: number) =>
    vi.waitFor(
      () => {
        for (const { handled } of [worker, listener]) expect(distinct(handled)).toEqual(numbers(messages));
      },
      { timeout: BACK_MS, interval: 50 },
    );
  await sendAll(numbers(MESSAGES));
  await handled(MESSAGES);
  await stage.server.kill();
  await sleep(OUTAGE_MS);
  await stage.server.start();
  await sendAll(numbers(MESSAGES, MESSAGES));
  await handled(2 * MESSAGES);
  expect([worker.isOver, listener.isOver]).toEqual([false, false]);
});

/** Sends while the broker goes, and while it is away: from an app that was connected, then also from one that never was. */
async function sendDuring(stage: Stage, begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
  const [worker, listener] = await Promise.all([stage.actor(), stage.actor({ listener: "audit" })]);
  const app = await stage.app();
  // Equal URLs would share a connection.
  const fresh = await stage.app({ url: stage.server.url.replace("127.0.0.1", "localhost") });
  const commands = new Sendings((n) => (n % 2 === 0 ? app : fresh).send(command, { n }));
  const events = new Sendings((n) => (n % 2 === 0 ? app : fresh).publish(event, { n }));
  let last = 0;
  const send = async (step: number, { forMs, everyMs }: typeof GOING) => {
    for (const until = performance.now() + forMs; performance.now() < until; await sleep(everyMs)) {
      last += step;
      commands.begin(last);
      events.begin(last);
    }
  };
  const going = send(2, GOING);
  await sleep(GOING.forMs / 2);
  await begin();
  await going;
  const taken = commands.taken.length + events.taken.length;
  await send(1, GONE);
  expect(commands.taken.length + events.taken.length - taken, "resolved without the broker").toBe(0);
  await end();
  await Promise.all([commands.over(), events.over()]);
  await send(1, GOING);
  for (const [sendings, actor] of [
    [commands, worker],
    [events, listener],
  ] as const) {
    await sendings.over();
    expect(sendings.errors.filter(({ code }) => code !== "UNAVAILABLE")).toEqual([]);
    expect(sendings.longestMs).toBeLessThan(SEND_MS);
    expect(sendings.taken, "with the broker back").toEqual(expect.arrayContaining([last - 1, last]));
    await vi.waitFor(() => expect(actor.handled).toEqual(expect.arrayContaining(sendings.taken)), {
      timeout: BACK_MS,
      interval: 100,
    });
    const refused = new Set(sendings.refused);
    expect(
      actor.handled.filter((n) => refused.has(n)),
      "handled, though they were refused",
    ).toEqual([]);
  }
}

onEachBroker("sends while the broker is away", { server: {} }, (stage) =>
  sendDuring(
    stage,
    () => stage.server.kill(),
    () => stage.server.start(),
  ),
);

onEachBroker("sends while the broker is frozen", { server: {} }, (stage) =>
  sendDuring(
    stage,
    () => stage.server.freeze(),
    () => stage.server.unfreeze(),
  ),
);
