import { expect, it } from "vitest";
import { sleep } from "../ports/clock.ts";
import { ACK, type Settlement } from "../ports/delivery.ts";
import { silentLogger } from "../ports/logger.ts";
import { ProcessClock, VirtualClock } from "../testing/virtual-clock.ts";
import { Broker } from "./broker.ts";
import { MemoryCommandBus } from "./command-bus.ts";
import { MemoryConnection } from "./connection.ts";
import { DEFAULT_MEMORY_LIMITS as limits } from "./limits.ts";

/** mulberry32: the same seed gives the same faults. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function settlementOf(choice: number): Settlement {
  if (choice < 0.2) return { kind: "retry", delayMs: choice < 0.1 ? 0 : choice * 10_000, counted: choice < 0.15 };
  if (choice < 0.25) return { kind: "leave" };
  if (choice < 0.35) return { kind: "dead-letter", reason: "chosen" };
  return ACK;
}

/** Workers that are cut off, frozen and killed while they work, over one broker. */
class World {
  readonly random: () => number;
  readonly clock = new VirtualClock();
  readonly broker = new Broker(this.clock, limits);
  readonly sender = this.open();
  readonly workers: {
    process: ProcessClock;
    connection: MemoryConnection;
    slots: number;
    running: number;
    dead: boolean;
  }[] = [];
  readonly acked = new Set<string>();
  readonly handled = new Set<string>();
  overfull = 0;
  /** Handlers keep what they get from then on. */
  holding = false;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  open() {
    const process = new ProcessClock(this.clock);
    const connection = new MemoryConnection();
    const client = { broker: this.broker, limits, connection, namespace: "n", clock: process, logger: silentLogger };
    return { process, connection, bus: new MemoryCommandBus(client) };
  }

  addWorker(): void {
    const { process, connection, bus } = this.open();
    const worker = { process, connection, slots: 1 + Math.floor(this.random() * 5), running: 0, dead: false };
    this.workers.push(worker);
    void bus.work("q", { concurrency: worker.slots }, async ({ id }) => {
      if (++worker.running > worker.slots) this.overfull++;
      if (this.holding) await new Promise(() => {});
      const pace = this.random();
      if (pace < 0.5) await sleep(this.clock, pace < 0.05 ? 1.5 * limits.leaseMs : pace * 400);
      worker.running--;
      const settlement = settlementOf(this.random());
      if (settlement === ACK && !worker.dead) this.handled.add(id);
      return settlement;
    });
  }

  async send(count: number): Promise<void> {
    const ids = Array.from({ length: count }, (_, i) => `m${this.acked.size + i}`);
    await this.sender.bus.send(ids.map((id) => ({ queue: "q", id, type: "t", body: new Uint8Array() })));
    for (const id of ids) this.acked.add(id);
  }

  async fault(): Promise<void> {
    const [choice, victim] = [this.random(), this.workers[Math.floor(this.random() * this.workers.length)]];
    if (victim === undefined) return;
    if (choice < 0.2) victim.connection.cut();
    else if (choice < 0.45) victim.connection.mend();
    else if (choice < 0.65) victim.connection.loseAnswers(1 + Math.floor(this.random() * 3));
    else if (choice < 0.75) this.broker.deleteConsumer("n", "q");
    else if (choice < 0.83) victim.process.freeze();
    else if (choice < 0.93) victim.process.thaw();
    else {
      victim.connection.kill();
      victim.process.stop();
      victim.dead = true;
      this.addWorker();
    }
    for (let step = this.random() * 5; step > 1; step--) await undefined;
    if (this.random() < 0.5) await this.clock.advance(this.random() * 500);
  }

  heal(): void {
    for (const { connection, process } of this.workers) {
      connection.loseAnswers(0);
      connection.mend();
      process.thaw();
    }
  }

  async waiting(): Promise<number> {
    const { ready, inFlight, delayed } = await this.sender.bus.inspect("q");
    return ready + (inFlight ?? 0) + (delayed ?? 0);
  }
}

it.each(Array.from({ length: 40 }, (_, i) => i + 1))(
  "loses no message and no slot, whatever breaks when (seed %i)",
  async (seed) => {
    const world = new World(seed);
    for (let i = 0; i < 4; i++) world.addWorker();
    for (let step = 0; step < 80; step++) {
      if (world.random() < 0.3) await world.send(1 + Math.floor(world.random() * 20));
      await world.fault();
    }
    world.heal();
    for (let i = 0; i < 100 && (await world.waiting()) > 0; i++) await world.clock.advance(5_000);
    expect(await world.waiting()).toBe(0);
    expect(world.overfull).toBe(0);
    const dead = await world.sender.bus.deadLetters.list("q", { limit: 10_000 });
    const accounted = new Set([...world.handled, ...dead.items.map(({ id }) => id)]);
    expect([...world.acked].filter((id) => !accounted.has(id))).toEqual([]);

    await world.clock.advance(2 * limits.leaseMs);
    world.holding = true;
    await world.send(200);
    await world.clock.settle();
    const slots = world.workers.reduce((sum, worker) => sum + (worker.dead ? 0 : worker.slots), 0);
    expect((await world.sender.bus.inspect("q")).inFlight).toBe(slots);
  },
);
