import { expect, test } from "vitest";
import { BatchError, IntermodalError } from "../errors.ts";
import { systemClock } from "../ports/clock.ts";
import { VirtualClock } from "../testing/index.ts";
import { Batcher, LazyBatch } from "./batcher.ts";

test("calls of one turn travel together, and each gets its own answer", async () => {
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>(systemClock, async (items) => {
    batches.push([...items]);
    return items.map((item) => item * 2);
  });
  expect(await Promise.all([1, 2, 3].map((item) => batcher.add(item)))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test("no more batches than four are under way, and no call waits for ever", async () => {
  let underWay = 0;
  let most = 0;
  const batcher = new Batcher<number, number>(systemClock, async (items) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    return items;
  });
  const items = Array.from({ length: 5_000 }, (_, item) => item);
  expect(await Promise.all(items.map((item) => batcher.add(item)))).toEqual(items);
  expect(most).toBe(4);
});

test("behind batches that get no answer nobody waits longer than a moment", async () => {
  const clock = new VirtualClock();
  const batches: number[] = [];
  const batcher = new Batcher<number, number>(clock, (items) => {
    batches.push(items.length);
    return new Promise(() => {});
  });
  for (let n = 0; n < 2_000; n++) void batcher.add(n);
  await clock.settle();
  expect(batches).toEqual([256, 256, 256, 256]);
  await clock.advance(50);
  expect(batches.reduce((sum, size) => sum + size, 0)).toBe(2_000);
  void batcher.add(2_000);
  await clock.advance(50);
  expect(batches.at(-1)).toBe(1);
});

test("an item that is refused fails alone, and the others keep their answers", async () => {
  const refusal = new IntermodalError("PAYLOAD_TOO_LARGE", "too large");
  const batcher = new Batcher<number, number>(systemClock, async () => {
    throw new BatchError([undefined, refusal], [10, undefined]);
  });
  const [kept, refused] = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
  expect(kept).toEqual({ status: "fulfilled", value: 10 });
  expect(refused).toEqual({ status: "rejected", reason: refusal });
});

test("a batch that fails as a whole fails for all", async () => {
  const down = new IntermodalError("UNAVAILABLE", "down");
  const batcher = new Batcher<number, number>(systemClock, () => Promise.reject(down));
  const results = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
  expect(results.map((result) => result.status === "rejected" && result.reason)).toEqual([down, down]);
});

test("lazy notes are written once, after their delay or when flushed", async () => {
  const clock = new VirtualClock();
  const written: string[][] = [];
  const lazy = new LazyBatch<string>(
    clock,
    50,
    async (items) => void written.push([...items]),
    () => {},
  );
  lazy.add("a");
  lazy.add("b");
  await clock.advance(49);
  expect(written).toEqual([]);
  await clock.advance(1);
  expect(written).toEqual([["a", "b"]]);
  lazy.add("c");
  await lazy.flush();
  await clock.advance(1_000);
  expect(written).toEqual([["a", "b"], ["c"]]);
});

test("a lazy write that fails is told, and hinders no later one", async () => {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  let fail = true;
  const lazy = new LazyBatch<string>(
    clock,
    50,
    () => (fail ? Promise.reject(new Error("down")) : Promise.resolve()),
    (error) => errors.push(error),
  );
  lazy.add("a");
  await lazy.flush();
  fail = false;
  lazy.add("b");
  await lazy.flush();
  expect(errors).toHaveLength(1);
});
