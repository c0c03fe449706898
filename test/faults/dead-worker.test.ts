import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { type Actor, distinct } from "./actor-process.ts";
import { command, MAX_ATTEMPTS, numbers } from "./contracts.ts";
import { FULL, onEachBroker } from "./each-broker.ts";
import type { Stage } from "./stage.ts";

const HANGING = FULL ? 250 : 10;
/** RabbitMQ sees the connection end; JetStream waits for the lease. */
const REDELIVERED_MS = { nats: 15_000, rabbit: 1_000 };
/** Measured from here, and with several processes on the machine. */
const MARGIN_MS = 500;
const SEND_EVERY_MS = 20;
/** Of what is sent every few milliseconds: far less than any lease. */
const LONGEST_PAUSE_MS = 2_000;

onEachBroker("a worker is killed in mid-handler", {}, async (stage) => {
  const app = await stage.app();
  const hanging = numbers(HANGING);
  // Twice as many as hang, so that it shares the stream of others too until it dies.
  const victim = await stage.actor({ concurrency: 2 * HANGING });
  await Promise.all(hanging.map((n) => app.send(command, { n, acts: ["hang", "handle"] })));
  await vi.waitFor(() => expect(victim.notes("started")).toHaveLength(HANGING), { timeout: 10_000 });
  const survivor = await stage.actor({ concurrency: 2 * HANGING });
  const stream = new AbortController();
  const streaming = sendUntil(stage, stream.signal);
  await vi.waitFor(() => expect(survivor.handled.length).toBeGreaterThan(20), { timeout: 10_000 });
  const killedAt = performance.now();
  await victim.kill();
  const redelivered = () => survivor.notes("started").filter(({ n }) => n < HANGING);
  await vi.waitFor(() => expect(redelivered()).toHaveLength(HANGING), { timeout: 20_000, interval: 20 });
  const lastMs = Math.max(...redelivered().map(({ at }) => at - killedAt));
  stream.abort();
  const sent = await streaming;
  await vi.waitFor(
    () => expect(distinct([...victim.handled, ...survivor.handled])).toEqual(distinct([...hanging, ...sent])),
    { timeout: 20_000 },
  );
  expect(distinct(redelivered().map(({ attempt }) => attempt))).toEqual([2]);
  expect(lastMs).toBeLessThan(REDELIVERED_MS[stage.kind] + MARGIN_MS);
  expect(longestPauseMs(survivor, killedAt, killedAt + lastMs)).toBeLessThan(LONGEST_PAUSE_MS);
});

async function sendUntil(stage: Stage, signal: AbortSignal): Promise<readonly number[]> {
  const app = await stage.app();
  const sent: number[] = [];
  for (let n = HANGING; !signal.aborted; n++) {
    await app.send(command, { n });
    sent.push(n);
    await sleep(SEND_EVERY_MS);
  }
  return sent;
}

function longestPauseMs(actor: Actor, from: number, to: number): number {
  const inside = actor.notes("handled").flatMap(({ at }) => (at > from && at < to ? [at] : []));
  const moments = [from, ...inside, to];
  return Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)));
}

onEachBroker("a message kills its worker on receipt", {}, async (stage) => {
  const shortLeases = !FULL;
  const app = await stage.app({ shortLeases });
  await app.send(command, { n: 0, acts: ["die"] });
  const workers: Actor[] = [];
  const starts = () => workers.flatMap((worker) => worker.notes("started")).filter(({ n }) => n === 0);
  const dead = async () => (await app.deadLetters.list(command.queue)).items;
  const isOver = async () => (await dead()).length > 0;
  const supervised = (async () => {
    while (!(await isOver()) && workers.length <= 2 * MAX_ATTEMPTS) {
      // One at a time: what is in hand when a worker dies has had a try too.
      const worker = stage.begin({ shortLeases, concurrency: 1 });
      workers.push(worker);
      while (!worker.isOver && !(await isOver())) await Promise.race([worker.ended, sleep(100)]);
    }
  })();
  const others = numbers(HANGING, 1);
  await Promise.all(others.map((n) => app.send(command, { n })));
  await supervised;
  const handled = () => distinct(workers.flatMap((worker) => worker.handled));
  await vi.waitFor(() => expect(handled()).toEqual(others), { timeout: 20_000 });
  // Whoever is there must not get it again.
  await sleep(stage.leaseMs({ shortLeases }));
  expect(starts().map(({ attempt }) => attempt)).toEqual(numbers(MAX_ATTEMPTS, 1));
  const reason = expect.stringContaining(`${MAX_ATTEMPTS} attempts`);
  expect(await dead()).toMatchObject([{ reason, attempts: MAX_ATTEMPTS }]);
});
