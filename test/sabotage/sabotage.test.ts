import { cases } from "@intermodal/conformance";
import { describe, expect, test } from "vitest";
import { commandBusSabotages } from "./command-bus.ts";
import { eventBusSabotages } from "./event-bus.ts";
import { eventStreamSabotages } from "./event-stream.ts";
import { inboxSabotages } from "./inbox.ts";
import { lifecycleSabotages } from "./lifecycle.ts";
import { rateLimiterSabotages } from "./rate-limiter.ts";
import { scheduleStoreSabotages } from "./schedule-store.ts";
import { taskStateStoreSabotages } from "./task-state-store.ts";

const sabotages = [
  ...commandBusSabotages,
  ...eventBusSabotages,
  ...taskStateStoreSabotages,
  ...eventStreamSabotages,
  ...scheduleStoreSabotages,
  ...rateLimiterSabotages,
  ...inboxSabotages,
  ...lifecycleSabotages,
];

describe("the sabotages together", () => {
  test("have different names, and each breaks something", () => {
    expect(new Set(sabotages.map(({ name }) => name)).size).toBe(sabotages.length);
    expect(sabotages.filter(({ breaks }) => breaks.length === 0)).toEqual([]);
  });

  test("fail every case", () => {
    const broken = new Set(sabotages.flatMap(({ breaks }) => breaks));
    expect(cases.filter(({ id }) => !broken.has(id)).map(({ id }) => id)).toEqual([]);
  });
});
