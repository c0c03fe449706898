import { expect, vi } from "vitest";
import { startProxy } from "../../servers/index.ts";
import { FULL, onEachStore, sharedServer } from "./each-store.ts";
import { Lines, median, TaskBatches } from "./task-batches.ts";

/** In turns, so that what else the machine does meets both. */
const ROUNDS = FULL ? 10 : 1;
/**
 * More events than wait for a store that is away: the oldest are dropped while handlers emit. At a steady pace: of tasks that wait for each other's slots, those of an outage, which soon wait
 * for no flush, run more densely, and what they take of the processor from each other would be measured.
 */
const SIZE = { tasks: 100, notes: 150, everyMs: 15 };
/** All of a batch: while the store has just gone each waits a second to flush. */
const CONCURRENCY = SIZE.tasks;
/** What an outage may add to the median; of one round on a busy machine only so much that no handler can have waited for the store. */
const SLOWER = FULL ? { factor: 1.05, moreMs: 0 } : { factor: 1.5, moreMs: 100 };
const BACK_MS = 60_000;

onEachStore(
  "handlers are not slowed down while the store of the run streams is away",
  { alone: true },
  async (stage) => {
    const lines = new Lines();
    const store = new URL(stage.store.url);
    const proxy = await startProxy(stage.store.port);
    stage.atEnd(() => proxy.close());
    store.port = String(proxy.port);
    // The state is reached by itself.
    const state = (await sharedServer(stage.storeKind)).url;
    const buses = { commands: "memory:", events: "memory:" };
    const app = await stage.client(
      { state, streams: store.toString().replace(/\/$/, ""), concurrency: CONCURRENCY },
      { ...buses, logger: lines },
    );
    const batches = new TaskBatches(app);
    await app.start();
    await batches.run(SIZE);
    const [well, away]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      well.push(...(await batches.run(SIZE)).handlerMs);
      proxy.cut();
      away.push(...(await batches.run(SIZE)).handlerMs);
      proxy.mend();
      await vi.waitFor(() => expect(lines.returns).toBe(round + 1), { timeout: BACK_MS, interval: 50 });
    }
    const [wellMs, awayMs] = [median(well), median(away)];
    const slower = `${awayMs > wellMs ? "+" : ""}${(100 * (awayMs / wellMs - 1)).toFixed(1)}`;
    console.log(
      `${stage.storeKind}: handlers took ${wellMs.toFixed(2)} ms (median of ${well.length}), and ${awayMs.toFixed(2)} ms while the store was away (${slower} %)`,
    );
    expect((await app.health()).lostRunEvents).toBeGreaterThan(0);
    expect(awayMs).toBeLessThan(SLOWER.factor * wellMs + SLOWER.moreMs);
  },
);
