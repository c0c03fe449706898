import { expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask, fixed } from "../index.ts";
import { createTestApp } from "./index.ts";

const greet = defineTask("greet", {
  input: z.object({ name: z.string() }),
  output: z.string(),
  retry: { maxAttempts: 3, backoff: fixed(60_000) },
});
const wave = defineCommand("wave", { input: z.object({ hand: z.enum(["left", "right"]) }) });
const greeted = defineEvent("greeted", { data: z.object({ name: z.string() }) });

test("time passes when told to, and a retry waits for it", async () => {
  const { app, advance, idle } = createTestApp();
  let attempts = 0;
  app.handle(greet, ({ name }) => {
    attempts++;
    if (attempts === 1) throw new Error("not in the mood");
    return `hello ${name}`;
  });
  await app.start();
  const task = await app.submit(greet, { name: "Ada" });
  await idle();
  expect((await task.status()).status).toBe("RETRYING");
  await advance(59_000);
  expect(attempts).toBe(1);
  await advance(2_000);
  expect(await task.result()).toBe("hello Ada");
  await app.stop();
});

test("what was sent and published can be read, typed", async () => {
  const { app, idle, sent, published } = createTestApp();
  app.handle(greet, async ({ name }, context) => {
    await context.publish(greeted, { name });
    return `hello ${name}`;
  });
  await app.start();
  await app.submit(greet, { name: "Grace" });
  await app.send(wave, { hand: "left" });
  // Nobody handles it here: it comes back later.
  await idle();
  const names: readonly string[] = sent(greet).map(({ name }) => name);
  const hands: readonly ("left" | "right")[] = sent(wave).map(({ hand }) => hand);
  expect(names).toEqual(["Grace"]);
  expect(hands).toEqual(["left"]);
  expect(published(greeted)).toEqual([{ name: "Grace" }]);
  await app.stop();
});

test("a port fails when told to, and the submit leaves nothing behind", async () => {
  const { app, failNext } = createTestApp();
  failNext("commandBus");
  await expect(app.submit(greet, { name: "Alan" }, { id: "a" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect((await app.task(greet, "a").status()).status).toBe("CANCELLED");
  const task = await app.submit(greet, { name: "Alan" }, { id: "a" });
  expect((await task.status()).status).toBe("QUEUED");
  await app.stop();
});

test("idle says what it waits for in vain", async () => {
  const { app, idle } = createTestApp();
  app.handle(greet, () => new Promise<string>(() => {}));
  await app.start();
  await app.submit(greet, { name: "Marvin" });
  await expect(idle({ withinMs: 20 })).rejects.toMatchObject({ code: "TIMEOUT" });
});
