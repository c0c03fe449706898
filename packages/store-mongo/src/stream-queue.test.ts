import { IntermodalError, systemClock } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import { expect, it } from "vitest";
import type { Placed, Put } from "./stream-plan.ts";
import { type Steps, StreamQueue, type Work } from "./stream-queue.ts";

/** Puts that can be told from each other. */
const put = (n: number): Put => {
  return { events: [{ writer: "w", n, timestamp: 0, source: "s", event: "e", data: n }] };
};
const numbersIn = ({ puts }: Work) => puts.flatMap(({ events }) => events.map(({ n }) => n));

/** A store whose steps end when they are told to. */
function fakeStore() {
  const passes: {
    readonly works: readonly Work[];
    readonly end: (steps?: Steps) => void;
    readonly fail: (failure: IntermodalError) => void;
  }[] = [];
  const queue = new StreamQueue(
    systemClock,
    (works) =>
      new Promise((resolve, fail) => {
        const all = () => works.map(async (work) => numbersIn(work).map((n): Placed => [n]));
        passes.push({ works, end: (steps = all()) => resolve(steps), fail });
      }),
  );
  const seen = () => passes.map(({ works }) => works.map((work) => [work.streamId, ...numbersIn(work)]));
  return { queue, passes, seen };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

it("what comes in one turn goes together, a stream's in its order", async () => {
  const { queue, passes, seen } = fakeStore();
  const answers = [queue.put("a", put(1)), queue.put("b", put(2)), queue.put("a", put(3))];
  await turn();
  expect(seen()).toEqual([
    [
      ["a", 1, 3],
      ["b", 2],
    ],
  ]);
  passes[0]?.end();
  expect(await Promise.all(answers)).toEqual([[1], [2], [3]]);
});

it("nothing of a stream goes while something of it is under way; others do", async () => {
  const { queue, passes, seen } = fakeStore();
  const first = queue.put("a", put(1));
  await turn();
  const later = [queue.put("a", put(2)), queue.put("b", put(3)), queue.put("a", put(4))];
  await turn();
  expect(seen()).toEqual([[["a", 1]], [["b", 3]]]);
  passes[0]?.end();
  expect(await first).toEqual([1]);
  await turn();
  expect(seen()[2]).toEqual([["a", 2, 4]]);
  passes[1]?.end();
  passes[2]?.end();
  expect(await Promise.all(later)).toEqual([[2], [3], [4]]);
});

it("where others came first it goes again, with what has come meanwhile", async () => {
  const { queue, passes, seen } = fakeStore();
  const first = queue.put("a", put(1));
  await turn();
  const second = queue.put("a", put(2));
  passes[0]?.end([Promise.resolve(undefined)]);
  await turn();
  expect(seen()[1]).toEqual([["a", 1, 2]]);
  passes[1]?.end();
  expect(await Promise.all([first, second])).toEqual([[1], [2]]);
});

it("a failure is told to those that it concerns, and the queue goes on", async () => {
  const { queue, passes } = fakeStore();
  const failure = new IntermodalError("UNAVAILABLE", "gone");
  const answers = [queue.put("a", put(1)), queue.put("b", put(2))];
  await turn();
  passes[0]?.end([Promise.reject(failure), Promise.resolve([[2]])]);
  expect(await Promise.all(answers)).toEqual([failure, [2]]);
  const next = queue.put("a", put(3));
  await turn();
  passes[1]?.end();
  expect(await next).toEqual([3]);
});

it("what waits behind an append that failed as if the server were away fails with it: it must not go ahead", async () => {
  const { queue, passes, seen } = fakeStore();
  const away = new IntermodalError("UNAVAILABLE", "gone", { unknown: true });
  const first = queue.put("a", put(1));
  await turn();
  const behind = [queue.put("a", put(2)), queue.put("a", put(3))];
  const other = queue.put("b", put(4));
  await turn();
  passes[0]?.end([Promise.reject(away)]);
  expect(await Promise.all([first, ...behind])).toEqual([away, away, away]);
  passes[1]?.end();
  expect(await other).toEqual([4]);
  // What came before is no reason to refuse what comes now.
  const again = queue.put("a", put(1));
  await turn();
  expect(seen()[2]).toEqual([["a", 1]]);
  passes[2]?.end();
  expect(await again).toEqual([1]);
});

it("what waits behind an append that was refused goes on", async () => {
  const { queue, passes, seen } = fakeStore();
  const refused = new IntermodalError("PAYLOAD_TOO_LARGE", "too long");
  const answers = [queue.put("a", put(1))];
  await turn();
  answers.push(queue.put("a", put(2)));
  passes[0]?.end([Promise.reject(refused)]);
  await turn();
  expect(seen()[1]).toEqual([["a", 2]]);
  passes[1]?.end();
  expect(await Promise.all(answers)).toEqual([refused, [2]]);
});

it("when a whole pass finds the server away, nothing that waited for it as long waits any longer", async () => {
  const { queue, passes, seen } = fakeStore();
  const away = new IntermodalError("UNAVAILABLE", "gone");
  const streams = Array.from({ length: 1_200 }, (_, at) => `s${at}`);
  const early = streams.map((streamId, at) => queue.put(streamId, put(at)));
  await turn();
  expect(seen().map((works) => works.length)).toEqual([500, 500]);
  const late = [queue.put("s1199", put(5)), queue.put("late", put(6))];
  passes[0]?.fail(away);
  const answers = await Promise.all([...early.slice(0, 500), ...early.slice(1_000)]);
  expect(answers.every((answer) => answer === away)).toBe(true);
  expect(await late[0], "behind one of them").toBe(away);
  await turn();
  expect(seen()[2], "what came later").toEqual([["late", 6]]);
  passes[1]?.end();
  passes[2]?.end();
  expect(await late[1]).toEqual([6]);
  expect(await early[999]).toEqual([999]);
});

it("what is too much for one step is left to the next", async () => {
  const { queue, passes, seen } = fakeStore();
  const many = (n: number): Put => ({
    events: Array.from({ length: 1_500 }, () => put(n).events[0] as Put["events"][0]),
  });
  const answers = [queue.put("a", many(1)), queue.put("a", many(2))];
  await turn();
  expect(seen()[0]?.[0]).toHaveLength(1_501);
  passes[0]?.end([Promise.resolve([[1]])]);
  await answers[0];
  await turn();
  expect(new Set(seen()[1]?.[0]?.slice(1))).toEqual(new Set([2]));
  passes[1]?.end([Promise.resolve([[2]])]);
  expect(await Promise.all(answers)).toEqual([[1], [2]]);
});

it("where others come first all the time it gives up in the end, after pauses, and takes what comes then", async () => {
  const clock = new VirtualClock();
  let isContended = true;
  let tries = 0;
  const queue = new StreamQueue(clock, async (works) => {
    tries++;
    return works.map(async ({ puts }) => (isContended ? undefined : puts.map((): Placed => [1])));
  });
  const placed = queue.put("a", put(1));
  await clock.advance(0);
  const behind = queue.put("a", put(2));
  await clock.advance(60_000);
  expect(await placed).toMatchObject({ code: "UNAVAILABLE", unknown: false });
  expect(await behind, "it is not first either").toBe(await placed);
  // With pauses that do not grow it would be some 2,000.
  expect(tries).toBeLessThan(200);
  isContended = false;
  expect(await queue.put("a", put(1))).toEqual([1]);
});
