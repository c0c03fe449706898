import { expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineTask, fixed } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";
import { decodeCommand } from "../wire/envelope.ts";

const retry = { maxAttempts: 2, backoff: fixed(1_000) };
const post = defineCommand("post", { input: z.object({ n: z.number() }), queue: "mail", retry });
const weigh = defineTask("weigh", { input: z.object({ n: z.number() }), queue: "mail", retry });

/** An app whose handlers fail until they are told not to. */
async function failing() {
  const test = createTestApp();
  const state = { fails: true, handled: [] as string[] };
  const handle = (what: string) => {
    if (state.fails) throw new Error(`${what} failed`);
    state.handled.push(what);
  };
  test.app.handle(post, ({ n }) => handle(`post ${n}`));
  test.app.handle(weigh, ({ n }) => handle(`weigh ${n}`));
  await test.app.start();
  return { ...test, state };
}

test("a command whose attempts are used up can be listed with its bytes, replayed and handled", async () => {
  const { app, advance, idle, state } = await failing();
  for (const n of [1, 2, 3]) await app.send(post, { n }, { id: `p${n}` });
  await advance(10_000);
  const { items } = await app.deadLetters.list("mail");
  expect(
    items.map(({ body, attempts, reason, taskId, type }) => [decodeCommand(body).data, attempts, reason, taskId, type]),
  ).toEqual([1, 2, 3].map((n) => [{ n }, 2, `all 2 attempts used up; the last: post ${n} failed`, undefined, "post"]));
  const [first, second, third] = items.map(({ deadLetterId }) => deadLetterId) as [string, string, string];
  state.fails = false;
  expect(await app.deadLetters.replay("mail", [first, "unknown"])).toBe(1);
  expect(await app.deadLetters.discard("mail", [second])).toBe(1);
  await idle();
  expect(state.handled).toEqual(["post 1"]);
  expect((await app.deadLetters.list("mail")).items.map(({ deadLetterId }) => deadLetterId)).toEqual([third]);
  expect(await app.inspectQueue("mail")).toMatchObject({ ready: 0, inFlight: 0, dead: 1 });
  await app.stop();
});

test("dead letters come in pages", async () => {
  const { app, advance } = await failing();
  for (const n of [1, 2, 3]) await app.send(post, { n });
  await advance(10_000);
  const seen: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await app.deadLetters.list("mail", { limit: 2, cursor });
    seen.push(page.items.length);
    cursor = page.next;
  } while (cursor !== undefined);
  expect(seen).toEqual([2, 1]);
  await app.stop();
});

test("a task's dead letter names the task, is not replayed on the bus, and goes when the task is replayed", async () => {
  const { app, advance, idle, state } = await failing();
  const task = await app.submit(weigh, { n: 1 }, { id: "w" });
  await app.send(post, { n: 2 });
  await advance(10_000);
  expect(await task.status()).toMatchObject({ status: "DEAD_LETTER", attempts: 2, retryCount: 1, outcome: "failure" });
  await expect(task.result()).rejects.toMatchObject({
    code: "TASK_FAILED",
    status: "DEAD_LETTER",
    attempts: 2,
    cause: { message: "weigh 1 failed" },
  });
  const { items } = await app.deadLetters.list("mail");
  expect(items.map(({ taskId }) => taskId).sort()).toEqual([undefined, "w"].sort());
  state.fails = false;
  const ids = items.map(({ deadLetterId }) => deadLetterId);
  await expect(app.deadLetters.replay("mail", ids)).rejects.toMatchObject({ code: "NOT_REPLAYABLE" });
  await idle();
  expect(state.handled).toEqual([]);

  const { items: dead } = await app.tasks.list({ status: ["DEAD_LETTER", "FAILED"] });
  expect(dead.map(({ id }) => id)).toEqual(["w"]);
  expect(await app.tasks.replay("w")).toMatchObject({ series: 2, status: "QUEUED", attempts: 0 });
  await idle();
  expect(state.handled).toEqual(["weigh 1"]);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", outcome: "success", attempts: 1 });
  expect((await app.deadLetters.list("mail")).items.map(({ taskId }) => taskId)).toEqual([undefined]);
  await expect(app.tasks.replay("w")).rejects.toMatchObject({ code: "NOT_REPLAYABLE" });
  await expect(app.tasks.replay("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await app.stop();
});
