import { VirtualClock } from "@intermodal/core/testing";
import { expect, test } from "vitest";
import { SoftLimit } from "./limits.ts";
import { Names } from "./names.ts";
import type { Session } from "./session.ts";

function stage() {
  const clock = new VirtualClock();
  const state = { messages: 0, bytes: 0 };
  const session = {
    clock,
    names: new Names("test"),
    topology: { tasks: { config: { max_msgs: 10, max_bytes: -1 } } },
    api: { streamInfo: async () => ({ state }) },
  } as unknown as Session;
  const limit = new SoftLimit(session);
  return { clock, state, fill: () => Promise.all(Array.from({ length: 9 }, () => limit.admit("a", 1))), limit };
}

test("sends stop at 90 % of a limit, and go on once there is room", async () => {
  const { clock, state, fill, limit } = stage();
  await fill();
  await expect(limit.admit("b", 1)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  state.messages = 9;
  await clock.advance(1_001);
  await expect(limit.admit("c", 1)).rejects.toThrow("90 % of its max_msgs of 10");
  state.messages = 0;
  await clock.advance(1_001);
  await limit.admit("d", 1);
});

test("a clock that is set back does not hide that there is room", async () => {
  const { clock, fill, limit } = stage();
  await fill();
  clock.setBack(60_000);
  await clock.advance(1_001);
  await limit.admit("a", 1);
});
