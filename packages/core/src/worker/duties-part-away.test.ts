import { expect, test } from "vitest";
import { z } from "zod";
import type { App } from "../app/app.ts";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { BatchError, IntermodalError } from "../errors.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import type { EventStream } from "../ports/event-stream.ts";
import { type Logger, silentLogger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";

const noop = defineTask("noop", { input: z.object({}) });
const RUNS = 40;
/** Less than the grace of the sweep. */
const SOON_MS = 3_000;

type Method = "append" | "finish";

/** A store of streams of which some may be away while the others answer. */
function partlyAway(stream: EventStream, isAway: (method: Method, streamId: string) => boolean): EventStream {
  const each = async <Item extends { readonly streamId: string }, Answer>(
    method: Method,
    items: readonly Item[],
    call: (items: readonly Item[]) => Promise<readonly Answer[]>,
  ): Promise<readonly Answer[]> => {
    const failures = items.map(({ streamId }) =>
      isAway(method, streamId) ? new IntermodalError("UNAVAILABLE", "its shard is away", { unknown: true }) : undefined,
    );
    const well = items.filter((_, index) => failures[index] === undefined);
    const answers = well.length === 0 ? [] : [...(await call(well))];
    if (well.length === items.length) return answers;
    throw new BatchError(
      failures,
      failures.map((failure) => (failure === undefined ? answers.shift() : undefined)),
    );
  };
  return {
    capabilities: stream.capabilities,
    append: (appends) => each("append", appends, (some) => stream.append(some)),
    finish: async (finishes) => void (await each("finish", finishes, (some) => stream.finish(some).then(() => []))),
    read: (...call) => stream.read(...call),
    follow: (...call) => stream.follow(...call),
  };
}

async function setUp(isAway: (method: Method, streamId: string) => boolean) {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger });
  const { commandBus, eventBus, taskStateStore } = adapter;
  const eventStream = partlyAway(adapter.eventStream, isAway);
  const ports = { commandBus, eventBus, taskStateStore, eventStream };
  const app = createApp({ name: "test", namespace: "test", clock, logger, ports });
  app.handle(noop, () => {});
  await app.start();
  return { app, clock, warnings };
}

/** How many of the runs have ended for whoever reads their streams. */
async function ended(app: App, prefix: string): Promise<number> {
  let count = 0;
  for (let n = 0; n < RUNS; n++) {
    const request = new Request(`http://localhost/runs/${prefix}-${n}/events`, {
      headers: { accept: "application/json" },
    });
    const response = await app.runStreamHandler()(request);
    if (((await response.json()) as { readonly ended?: boolean }).ended) count++;
  }
  return count;
}

/** Submits runs to both parts, one to each every 250 ms. */
async function submitAll(app: App, clock: VirtualClock): Promise<void> {
  for (let n = 0; n < RUNS; n++) {
    await app.submit(noop, {}, { id: `ill-${n}` });
    await clock.advance(130);
    await app.submit(noop, {}, { id: `well-${n}` });
    await clock.advance(120);
  }
  await clock.advance(SOON_MS);
}

for (const failing of [["append", "finish"], ["finish"], ["append"]] as const) {
  test(`runs whose streams answer end at once while ${failing.join(" and ")} of others fail`, async () => {
    let away = true;
    const { app, clock, warnings } = await setUp(
      (method, streamId) => away && streamId.startsWith("ill") && (failing as readonly Method[]).includes(method),
    );
    await submitAll(app, clock);
    expect(await ended(app, "well")).toBe(RUNS);
    expect(await ended(app, "ill")).toBe(0);
    expect(warnings.filter((line) => line.startsWith("duty")).length, "it is told once").toBeLessThanOrEqual(1);
    away = false;
    await clock.advance(60_000);
    expect(await ended(app, "ill"), "once all are back").toBe(RUNS);
    expect((await app.health()).lostRunEvents).toBe(0);
    await app.stop();
  });
}

test("a run that waits for its own events says nothing about the store of the others", async () => {
  let away = true;
  const { app, clock, warnings } = await setUp((method) => away && method === "append");
  await app.submit(noop, {}, { id: "ill-0" });
  await clock.advance(5_000);
  expect(await ended(app, "ill")).toBe(0);
  away = false;
  await clock.advance(5_000);
  await app.submit(noop, {}, { id: "well-0" });
  await clock.advance(1_000);
  expect([await ended(app, "well"), await ended(app, "ill")]).toEqual([1, 1]);
  expect(warnings.filter((line) => line.startsWith("duty"))).toEqual([]);
  await app.stop();
});

test("what one worker can't reach the sweep of another ends", async () => {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const worker = async (name: string, isAway: boolean) => {
    const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
    const { commandBus, eventBus, taskStateStore } = adapter;
    const eventStream = partlyAway(adapter.eventStream, () => isAway);
    const ports = { commandBus, eventBus, taskStateStore, eventStream };
    const app = createApp({ name, namespace: "test", clock, logger: silentLogger, ports });
    app.handle(noop, () => {});
    await app.start();
    return app;
  };
  const cut = await worker("cut", true);
  for (let n = 0; n < RUNS; n++) await cut.submit(noop, {}, { id: `run-${n}` });
  await clock.advance(60_000);
  const other = await worker("other", false);
  // Who gets the next sweep is left to chance, each time anew.
  for (let minutes = 0; minutes < 10 && (await ended(other, "run")) < RUNS; minutes++) await clock.advance(60_000);
  expect(await ended(other, "run")).toBe(RUNS);
  const stopped = Promise.all([cut.stop(), other.stop()]);
  // One gives up what it can't write.
  await clock.advance(60_000);
  await stopped;
});
