import { setTimeout as sleep } from "node:timers/promises";
import { type App, isIntermodalError } from "@intermodal/core";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, vi } from "vitest";
import { distinct } from "./actor-process.ts";
import { type Act, command, numbers } from "./contracts.ts";
import { onEachBroker } from "./each-broker.ts";
import { BOUNDED_MS } from "./refused.ts";
import type { Stage } from "./stage.ts";

const MOST = 50;
/** Far beyond every limit here. */
const ENOUGH = 500;

/** Sends until it is refused. @returns what was taken. */
async function fill(app: App, says: RegExp, message: { acts?: Act[]; padding?: string } = {}): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < ENOUGH; n++) {
    const begun = performance.now();
    try {
      await app.send(command, { n, ...message });
      taken.push(n);
    } catch (error) {
      expect(isIntermodalError(error, "UNAVAILABLE"), String(error)).toBe(true);
      expect(error).toMatchObject({ message: expect.stringMatching(says), unknown: false });
      expect(performance.now() - begun).toBeLessThan(BOUNDED_MS);
      return taken;
    }
  }
  throw new Error(`${ENOUGH} messages were taken; the limit was not noticed`);
}

/** Sends one until it is taken, as applications would. */
function sendSoon(app: App, n: number): Promise<void> {
  return vi.waitFor(() => app.send(command, { n }), { timeout: BOUNDED_MS, interval: 250 });
}

/** An app whose stream of commands an operator has limited behind its back. */
async function limited(stage: Stage, limits: { max_msgs?: number; max_bytes?: number }): Promise<App> {
  const app = await stage.app();
  await app.send(command, { n: ENOUGH });
  const operator = await connect({ servers: stage.server.url });
  stage.atEnd(() => operator.close());
  const { streams } = await jetstreamManager(operator);
  for await (const { config } of streams.list())
    if (config.subjects?.some((subject) => subject.includes(`${stage.place.namespace}.cmd.`)))
      await streams.update(config.name, limits);
  return app;
}

for (const [what, limits, says] of [
  ["messages", { max_msgs: MOST }, /max_msgs/],
  ["bytes", { max_bytes: 20_000 }, /max_bytes/],
] as const) {
  onEachBroker(`the stream has all the ${what} that it may have`, { brokers: ["nats"] }, async (stage) => {
    const app = await limited(stage, limits);
    const taken = await fill(app, says);
    const worker = await stage.actor();
    await sendSoon(app, ENOUGH + 1);
    const all = [...taken, ENOUGH, ENOUGH + 1];
    await vi.waitFor(() => expect(distinct(worker.handled)).toEqual(all), { timeout: 20_000 });
  });
}

onEachBroker("a full stream of messages that fail for good", { brokers: ["nats"] }, async (stage) => {
  const app = await limited(stage, { max_msgs: MOST });
  const taken = await fill(app, /max_msgs/, { acts: ["refuse"] });
  await stage.actor();
  const dead = async () => (await app.deadLetters.list(command.queue)).items;
  await vi.waitFor(async () => expect(await dead()).toHaveLength(taken.length), { timeout: 20_000, interval: 200 });
  const letters = await dead();
  await app.deadLetters.discard(
    command.queue,
    letters.map(({ deadLetterId }) => deadLetterId),
  );
  await sendSoon(app, ENOUGH + 1);
});

const FILE_STORE = { brokers: ["nats" as const], server: { jetstream: "max_file_store: 2MB" } };

onEachBroker("the server has no room left", FILE_STORE, async (stage) => {
  const app = await stage.app();
  const taken = await fill(app, /no room|storage|resources/, { padding: "x".repeat(50_000) });
  expect(taken.length).toBeGreaterThan(10);
  const worker = await stage.actor();
  await sendSoon(app, ENOUGH + 1);
  await vi.waitFor(() => expect(distinct(worker.handled)).toEqual([...taken, ENOUGH + 1]), { timeout: 20_000 });
  // Nothing that was refused comes after all.
  await sleep(500);
  expect(distinct(worker.handled)).toEqual(distinct([...numbers(taken.length), ENOUGH + 1]));
});
