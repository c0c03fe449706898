import { VirtualClock } from "@intermodal/core/testing";
import { type Collection, MongoServerError } from "mongodb";
import { expect, it, vi } from "vitest";
import { upsert } from "./upsert.ts";

it("whoever comes second again and again waits between tries, longer each time", async () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const clock = new VirtualClock();
  const begun = clock.now();
  const tries: number[] = [];
  const findOneAndUpdate = async () => {
    tries.push(clock.now() - begun);
    if (tries.length < 4) throw new MongoServerError({ message: "there", code: 11000 });
    return { _id: "a" };
  };
  const answer = upsert({ findOneAndUpdate } as unknown as Collection<{ _id: string }>, "a", {}, clock);
  await clock.advance(1_000);
  expect(await answer).toEqual({ _id: "a" });
  expect(tries).toEqual([0, 20, 60, 140]);
  vi.restoreAllMocks();
});
