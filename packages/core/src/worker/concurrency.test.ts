import { expect, test } from "vitest";
import { z } from "zod";
import { defineEvent, defineTask } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";

const input = z.object({});
const print = defineTask("print", { input, queue: "printers" });
const bind = defineTask("bind", { input, queue: "binders" });
const fold = defineTask("fold", { input, queue: "binders" });
const printed = defineEvent("printed");

test("concurrency is per queue and per listener; a full queue holds up no other", async () => {
  const { app, advance } = createTestApp({ concurrency: { printers: 2, binders: 3 } });
  const gate = Promise.withResolvers<void>();
  const now = new Map<string, number>();
  const hold = async (what: string) => {
    now.set(what, (now.get(what) ?? 0) + 1);
    await gate.promise;
  };
  app.handle(print, () => hold("printers"));
  app.handle(bind, () => hold("binders"));
  app.handle(fold, () => hold("binders"));
  app.on(printed, { listener: "one", concurrency: 1 }, () => hold("one"));
  app.on(printed, { listener: "ten" }, () => hold("ten"));
  await app.start();
  const tasks = [];
  for (let n = 0; n < 12; n++) {
    for (const contract of [print, bind, fold]) tasks.push(await app.submit(contract, {}));
    await app.publish(printed, {});
  }
  await advance(1_000);
  expect(Object.fromEntries(now)).toEqual({ printers: 2, binders: 3, one: 1, ten: 10 });
  gate.resolve();
  await advance(60_000);
  expect(Object.fromEntries(now)).toEqual({ printers: 12, binders: 24, one: 12, ten: 12 });
  const ended = await Promise.all(tasks.map((task) => task.status()));
  expect(new Set(ended.map(({ status, attempts }) => `${status} ${attempts}`))).toEqual(new Set(["COMPLETED 1"]));
  await app.stop();
});
