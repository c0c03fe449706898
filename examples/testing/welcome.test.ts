import { defineEvent, defineTask, fixed } from "@intermodal/core";
import { createTestApp } from "@intermodal/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const welcome = defineTask("mail.welcome", {
  input: z.object({ address: z.email() }),
  retry: { maxAttempts: 3, backoff: fixed(300_000) },
});
const welcomed = defineEvent("mail.welcomed", { data: z.object({ address: z.string() }) });

test("a mail that fails is sent again five minutes later", async () => {
  const { app, advance, idle, published } = createTestApp();
  let tries = 0;
  app.handle(welcome, async ({ address }, ctx) => {
    if (++tries === 1) throw new Error("the mail server is busy");
    await ctx.publish(welcomed, { address });
  });
  await app.start();
  const task = await app.submit(welcome, { address: "ishmael@example.org" });

  await idle();
  expect(await task.status()).toMatchObject({ status: "RETRYING", attempts: 1 });
  await advance(300_000);

  expect(await task.status()).toMatchObject({ status: "COMPLETED", outcome: "success" });
  expect(published(welcomed)).toEqual([{ address: "ishmael@example.org" }]);
  await app.stop();
});
