import { ACK, type Delivery, silentLogger, sleep } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import type { ConsumerInfo } from "@nats-io/jetstream";
import type { Msg, MsgCallback, NatsConnection, Subscription } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import { NatsConsumption } from "./consumption.ts";
import type { Delays } from "./delays.ts";
import { Names } from "./names.ts";
import { settingsOf } from "./options.ts";
import { Requests } from "./requests.ts";
import type { Session } from "./session.ts";

const LEASE_MS = 6_000;
const TICK_MS = 1_000;
const LOOK_MS = 15_000;
const HANDLER_MS = 30_000;

/** Can be set back, while timers run as ever. */
class SettableClock extends VirtualClock {
  behindMs = 0;

  override now(): number {
    return this.time - this.behindMs;
  }

  /** As it passes, whatever the clock was set to. */
  get time(): number {
    return super.now();
  }
}

/** A JetStream and as much of a client as is used. Holds one message, and delivers it again whenever its lease has run out. */
class FakeServer {
  answerMs = 10;
  isReachable = true;
  isDone = false;
  /** The latest is the last. */
  readonly leasedAt: number[] = [];
  readonly #clock: SettableClock;
  readonly #callbacks = new Map<string, MsgCallback<Msg>>();
  #isStored = false;
  #pulledFrom: string | undefined;
  #delivered = 0;
  #cancelLease: (() => void) | undefined;

  constructor(clock: SettableClock) {
    this.#clock = clock;
  }

  get it(): NatsConnection {
    return this as unknown as NatsConnection;
  }

  store(): void {
    this.#isStored = true;
    this.#deliver();
  }

  subscribe(subject: string, { callback }: { callback: MsgCallback<Msg> }): Subscription {
    const inbox = subject.slice(0, -1);
    this.#callbacks.set(inbox, callback);
    const unsubscribe = () => void this.#callbacks.delete(inbox);
    return { unsubscribe, drain: async () => unsubscribe() } as Subscription;
  }

  publish(subject: string, payload: Uint8Array | string, { reply }: { reply: string }): void {
    if (!this.isReachable) return;
    if (subject.includes(".MSG.NEXT.")) {
      this.#pulledFrom = reply;
      this.#deliver();
      return;
    }
    if (String.fromCharCode(...(payload as Uint8Array)) === "+WPI") this.#lease();
    else this.#done();
    this.#clock.schedule(this.answerMs, () => this.#send(reply, {}));
  }

  #deliver(): void {
    if (!this.#isStored || this.isDone || this.#cancelLease !== undefined || this.#pulledFrom === undefined) return;
    this.#delivered++;
    this.#lease();
    this.#send(this.#pulledFrom, { reply: `$JS.ACK.stream.durable.${this.#delivered}.1.${this.#delivered}.0.0` });
  }

  #lease(): void {
    this.leasedAt.push(this.#clock.time);
    this.#cancelLease?.();
    this.#cancelLease = this.#clock.schedule(LEASE_MS, () => {
      this.#cancelLease = undefined;
      this.#deliver();
    });
  }

  #done(): void {
    this.isDone = true;
    this.#cancelLease?.();
  }

  #send(subject: string, rest: { readonly reply?: string }): void {
    const callback = this.#callbacks.get(subject.slice(0, subject.lastIndexOf(".") + 1));
    if (this.isReachable) void callback?.(null, { subject, data: new Uint8Array(), ...rest } as Msg);
  }
}

/** A worker whose handler takes five leases. */
async function stage() {
  const clock = new SettableClock();
  const server = new FakeServer(clock);
  const requests = new Requests(clock);
  requests.up(server.it, undefined);
  const connection = { isUp: true, generation: 1, requests, ready: async () => server.it, watch: () => () => {} };
  const durable = { created: "first" };
  const info = () => ({ created: durable.created, delivered: { stream_seq: 1 } }) as ConsumerInfo;
  const session = {
    clock,
    logger: silentLogger,
    connection,
    names: new Names("test"),
    settings: settingsOf({ leaseMs: LEASE_MS }),
    topology: { ensure: async () => {} },
    api: { consumerInfo: async () => info() },
    add() {},
    remove() {},
  } as unknown as Session;
  const deliveries: Delivery[] = [];
  const lostAt: number[] = [];
  const lookedAt: number[] = [];
  const consumption = new NatsConsumption({
    session,
    what: "work",
    place: session.names.queue("queue"),
    concurrency: 5,
    handle: async (delivery) => {
      deliveries.push(delivery);
      delivery.signal.addEventListener("abort", () => lostAt.push(clock.time));
      await sleep(clock, HANDLER_MS);
      return ACK;
    },
    ensure: async () => info(),
    delays: { start() {} } as unknown as Delays,
    onLook: () => lookedAt.push(clock.time),
  });
  await consumption.start();
  const cutOff = () => {
    connection.isUp = false;
    server.isReachable = false;
    requests.down();
  };
  return { clock, server, durable, deliveries, lostAt, lookedAt, cutOff };
}

describe("a clock that is set back", () => {
  const cases = [300, 1_500, 3_000, 60_000].flatMap((ms) => [100, 1_900, 2_500, 2_999].map((after) => ({ ms, after })));
  test.each(cases)("by $ms ms lets no lease run out, $after ms after it began", async ({ ms, after }) => {
    const { clock, server, deliveries, lostAt } = await stage();
    server.store();
    await clock.advance(after);
    clock.behindMs += ms;
    await clock.advance(HANDLER_MS);
    expect(deliveries).toHaveLength(1);
    expect(lostAt).toEqual([]);
    expect(server.isDone).toBe(true);
    // A lease is renewed no more often than without that, but for once.
    expect(server.leasedAt.length).toBeLessThanOrEqual(HANDLER_MS / (LEASE_MS / 3) + 2);
  });

  test("again and again lets no lease run out", async () => {
    const { clock, server, deliveries, lostAt } = await stage();
    server.store();
    for (let passed = 0; passed <= HANDLER_MS; passed += 100) {
      await clock.advance(100);
      clock.behindMs += 90;
    }
    expect(deliveries).toHaveLength(1);
    expect(lostAt).toEqual([]);
    expect(server.isDone).toBe(true);
  });

  test.each([100, 900])("costs no message that came since, %i ms after a look at the clock", async (after) => {
    const { clock, server, deliveries, lostAt } = await stage();
    await clock.advance(TICK_MS * 10 + after);
    clock.behindMs += 60_000;
    server.store();
    await clock.advance(HANDLER_MS + TICK_MS);
    expect(deliveries).toHaveLength(1);
    expect(lostAt).toEqual([]);
    expect(server.isDone).toBe(true);
  });

  test.each([1_500, 60_000])("by %i ms hides no lease that has run out", async (ms) => {
    const { clock, server, lostAt, cutOff } = await stage();
    server.store();
    await clock.advance(5_500);
    cutOff();
    await clock.advance(1_000);
    clock.behindMs += ms;
    await clock.advance(LEASE_MS);
    const [lost = Number.POSITIVE_INFINITY] = lostAt;
    expect(lost - (server.leasedAt.at(-1) ?? 0)).toBeLessThanOrEqual(LEASE_MS + TICK_MS);
  });

  test("while a renewal is under way makes no lease longer", async () => {
    const { clock, server, lostAt, cutOff } = await stage();
    server.answerMs = 800;
    server.store();
    // The second is asked for, and answered only then.
    while (server.leasedAt.length < 3) await clock.advance(100);
    clock.behindMs += 60_000;
    await clock.advance(850);
    cutOff();
    await clock.advance(2 * LEASE_MS);
    const [lost = Number.POSITIVE_INFINITY] = lostAt;
    expect(lost - (server.leasedAt.at(-1) ?? 0)).toBeLessThanOrEqual(LEASE_MS + TICK_MS);
  });

  test("does not keep it from looking after what it listens to", async () => {
    const { clock, lookedAt } = await stage();
    await clock.advance(TICK_MS / 2);
    clock.behindMs += 3_600_000;
    await clock.advance(2 * LOOK_MS + TICK_MS);
    expect(lookedAt).toHaveLength(2);
  });
});

test("a worker that is cut off gives up its message when the lease has run out", async () => {
  const { clock, server, lostAt, cutOff } = await stage();
  server.store();
  await clock.advance(100);
  cutOff();
  await clock.advance(0.8 * LEASE_MS);
  expect(lostAt).toEqual([]);
  await clock.advance(0.2 * LEASE_MS);
  expect(lostAt).toHaveLength(1);
});

test("a worker whose handler runs on gives up its message soon after its durable was made anew", async () => {
  const { clock, server, durable, lostAt } = await stage();
  server.store();
  await clock.advance(LOOK_MS / 2);
  durable.created = "second";
  await clock.advance(LOOK_MS);
  expect(lostAt).toHaveLength(1);
  // Its handler ends meanwhile.
  await clock.advance(LOOK_MS);
  expect(server.isDone).toBe(false);
});

test("a message that may have waited for a lease in a process that was blocked is not begun", async () => {
  const { clock, server, deliveries } = await stage();
  await clock.advance(TICK_MS);
  // No timer runs meanwhile.
  clock.behindMs -= LEASE_MS;
  server.store();
  await clock.settle();
  expect(deliveries).toEqual([]);
  // It comes again.
  await clock.advance(LEASE_MS + TICK_MS);
  expect(deliveries.map(({ attempt }) => attempt)).toEqual([2]);
});
