import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import type { Ports } from "../app/runtime.ts";
import { defineTask } from "../contracts/index.ts";
import { IntermodalError, NonRetryableError } from "../errors.ts";
import { sleep } from "../ports/clock.ts";
import type { OutgoingCommand } from "../ports/command-bus.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";

const greet = defineTask("greet", { input: z.object({}) });

/** An app over memory whose store claims in another way. */
function appWith(
  claimAs: (store: MemoryAdapter["taskStateStore"]) => MemoryAdapter["taskStateStore"]["claim"],
  changes: (adapter: MemoryAdapter) => Partial<Ports> = () => ({}),
) {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const taskStateStore = withMethods(adapter.taskStateStore, { claim: claimAs(adapter.taskStateStore) });
  const ports = { ...adapter, taskStateStore, ...changes(adapter) };
  return { clock, adapter, app: createApp({ name: "test", clock, logger: silentLogger, ports }) };
}

test("a store that answers no claim, and shows that none was granted, is left alone for a while each time", async () => {
  let claims = 0;
  let lost = true;
  const { app, clock } = appWith((store) => async (asks) => {
    claims++;
    if (lost) throw new IntermodalError("UNAVAILABLE", "over quota, perhaps", { unknown: true });
    return store.claim(asks);
  });
  app.handle(greet, () => {});
  await app.start();
  const task = await app.submit(greet, {});
  await clock.advance(60_000);
  expect(claims).toBeGreaterThan(3);
  expect(claims).toBeLessThan(200);
  lost = false;
  await clock.advance(10_000);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", attempts: 1 });
  await app.stop();
});

test("a store that lets nobody in, as after a wrong password was set, costs no task", async () => {
  let refuses = true;
  const { app, clock, adapter } = appWith((store) => async (asks) => {
    if (refuses) throw new IntermodalError("CONFIG_INVALID", "NOPERM");
    return store.claim(asks);
  });
  app.handle(greet, () => {});
  await app.start();
  const task = await app.submit(greet, {});
  await clock.advance(10_000);
  refuses = false;
  await clock.advance(10_000);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", attempts: 1 });
  expect((await adapter.commandBus.deadLetters.list("default")).items).toEqual([]);
  await app.stop();
});

test("the message in whose hands a task ends is put aside, also where another was begun and never went out", async () => {
  const late = defineTask("late", { input: z.object({}) });
  const { app, clock, adapter } = appWith(
    (store) => store.claim.bind(store),
    ({ commandBus }) => ({
      commandBus: withMethods(commandBus, {
        send: async ([command]) => {
          // Whoever sends it again dies first.
          if (++sends === 1) await commandBus.send([{ ...(command as OutgoingCommand), delayMs: 50_000 }]);
        },
      }),
    }),
  );
  let sends = 0;
  app.handle(late, () => {
    throw new NonRetryableError("of no use");
  });
  await app.start();
  const task = await app.submit(late, {}, { delayMs: 1_000 });
  await clock.advance(120_000);
  expect(await task.status()).toMatchObject({ status: "FAILED" });
  expect(sends).toBe(2);
  expect((await adapter.commandBus.deadLetters.list("default")).items).toHaveLength(1);
  await app.stop();
});

test("two messages of one task whose claims go together make one attempt, also where the answer is lost", async () => {
  let lost = false;
  const { app, clock } = appWith(
    (store) => async (asks) => {
      const answers = await store.claim(asks);
      if (lost || asks.length < 2) return answers;
      lost = true;
      throw new IntermodalError("UNAVAILABLE", "the answer is lost", { unknown: true });
    },
    ({ commandBus }) => ({
      commandBus: withMethods(commandBus, {
        send: (commands) =>
          commandBus.send(commands.flatMap((command) => [command, { ...command, id: `${command.id} again` }])),
      }),
    }),
  );
  let runs = 0;
  app.handle(greet, async () => {
    runs++;
    await sleep(clock, 1_000);
  });
  await app.start();
  const task = await app.submit(greet, {});
  await clock.advance(60_000);
  expect([lost, runs]).toEqual([true, 1]);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", attempts: 1 });
  await app.stop();
});
