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
const SEND_EVERY_MS = 100;

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

/** Sends all the time while the broker cannot answer, from an app that was connected and from one that never was. */
async function sendDuring(stage: Stage, begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
  const [worker, listener] = await Promise.all([stage.actor(), stage.actor({ listener: "audit" })]);
  const app = await stage.app();
  await Promise.all([app.send(command, { n: 0 }), app.publish(event, { n: 0 })]);
  await begin();
  const fresh = await stage.app();
  const commands = new Sendings((n) => (n % 2 === 0 ? app : fresh).send(command, { n }));
  const events = new Sendings((n) => (n % 2 === 0 ? app : fresh).publish(event, { n }));
  for (let n = 1; n <= OUTAGE_MS / SEND_EVERY_MS; n++) {
    commands.begin(n);
    events.begin(n);
    await sleep(SEND_EVERY_MS);
  }
  expect([...commands.taken, ...events.taken], "resolved without the broker").toEqual([]);
  await end();
  for (const [sendings, actor] of [
    [commands, worker],
    [events, listener],
  ] as const) {
    await sendings.over();
    expect(sendings.errors.filter(({ code }) => code !== "UNAVAILABLE")).toEqual([]);
    expect(sendings.longestMs).toBeLessThan(SEND_MS);
    await vi.waitFor(() => expect(actor.handled).toEqual(expect.arrayContaining([0, ...sendings.taken])), {
      timeout: BACK_MS,
      interval: 50,
    });
    expect(
      sendings.refused.filter((n) => actor.handled.includes(n)),
      "handled, though it was refused",
    ).toEqual([]);
  }
  await Promise.all([app, fresh].flatMap((back) => [back.send(command, { n: 0 }), back.publish(event, { n: 0 })]));
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
