import { expect, vi } from "vitest";
import type { BrokerKind } from "./apps.ts";
import { command, event, numbers } from "./contracts.ts";
import { type CaseOptions, onEachBroker } from "./each-broker.ts";
import { Sendings } from "./sendings.ts";
import type { Stage } from "./stage.ts";

const KIB = 1_024;
const LOWERED_BYTES = 64 * KIB;
/** By default: NATS takes 1 MiB with headers; RabbitMQ 16 MiB since 4.0. */
const DEFAULT_BYTES: Readonly<Record<BrokerKind, number>> = { nats: 1_024 * KIB, rabbit: 16 * 1_024 * KIB };

/** Servers that take less than by default. */
const lowered: readonly CaseOptions[] = [
  { brokers: ["nats"], server: { config: `max_payload: ${LOWERED_BYTES}` } },
  { brokers: ["rabbit"], server: { config: `max_message_size = ${LOWERED_BYTES}` } },
];

const LARGE = 2;

/** Among small ones, one is refused, and the worker never hears of it. */
async function expectRefused(stage: Stage, limitBytes: number): Promise<void> {
  const [worker, listener] = await Promise.all([stage.actor(), stage.actor({ listener: "audit" })]);
  // Each has to find out for itself what the server takes.
  const [app, other] = await Promise.all([stage.app(), stage.app()]);
  const message = (n: number) => ({ n, ...(n % 10 === LARGE && { padding: "x".repeat(limitBytes + 1) }) });
  const commands = new Sendings((n) => app.send(command, message(n)));
  const events = new Sendings((n) => other.publish(event, message(n)));
  for (const round of [0, 1, 2]) {
    const small = numbers(5, 10 * round).filter((n) => n % 10 !== LARGE);
    for (const sendings of [commands, events]) {
      for (const n of numbers(5, 10 * round)) sendings.begin(n);
      await sendings.over();
      expect(sendings.errors.filter(({ code }) => code !== "PAYLOAD_TOO_LARGE")).toEqual([]);
      expect(sendings.taken).toEqual(expect.arrayContaining(small));
      expect(sendings.errors.length, "refused for their length").toBe(round + 1);
    }
  }
  for (const [{ taken, refused }, actor] of [
    [commands, worker],
    [events, listener],
  ] as const) {
    expect(refused).toEqual([0, 1, 2].map((round) => 10 * round + LARGE));
    await vi.waitFor(() => expect(actor.handled).toEqual(expect.arrayContaining(taken)), { timeout: 10_000 });
    expect(actor.handled.filter((n) => refused.includes(n))).toEqual([]);
  }
}

onEachBroker("a message is too large", {}, (stage) => expectRefused(stage, DEFAULT_BYTES[stage.kind]));

for (const options of lowered)
  onEachBroker("a message is too large for a server that takes less", options, (stage) =>
    expectRefused(stage, LOWERED_BYTES),
  );

const LONG_REASON = "because ".repeat(20_000);

onEachBroker("a message of the greatest length is retried and dead-lettered with a long reason", {}, async (stage) => {
  const { commandBus } = await stage.adapter();
  const { maxPayloadBytes } = commandBus.capabilities;
  const body = new Uint8Array(maxPayloadBytes).fill(7);
  await commandBus.send([{ queue: "large", id: "large", type: "large", body }]);
  await commandBus.work("large", { concurrency: 1 }, async ({ attempt }) =>
    attempt === 1 ? { kind: "retry", delayMs: 100, counted: true } : { kind: "dead-letter", reason: LONG_REASON },
  );
  const dead = await vi.waitUntil(async () => (await commandBus.deadLetters.list("large")).items[0], {
    timeout: 20_000,
    interval: 200,
  });
  expect([dead.id, dead.attempts, Buffer.compare(dead.body, body)]).toEqual(["large", 2, 0]);
  expect(dead.reason).toContain("because");
});
