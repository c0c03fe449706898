import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";
import { behaviourOf, failsForGood, planFaults } from "./plan.ts";

const { options } = parseOptions(["nats", "--seed", "7"]);

test("a seed draws the same faults again, another one others", () => {
  expect(planFaults(options)).toEqual(planFaults({ ...options }));
  expect(planFaults(options)).not.toEqual(planFaults({ ...options, seed: 8 }));
});

test("faults fall into the run, spread over all of it, and restarts come both while it is sent and while it is handled", () => {
  const faults = planFaults(options);
  const kills = faults.filter(({ kind }) => kind === "kill").map(({ at }) => at.reaches);
  expect(kills).toHaveLength(10);
  for (const [index, reaches] of kills.entries()) {
    expect(reaches).toBeGreaterThanOrEqual(index * 9_000);
    expect(reaches).toBeLessThan((index + 1) * 9_000);
  }
  const restarts = faults.filter((fault) => fault.kind === "restart");
  expect(restarts.map(({ at }) => at.count)).toEqual(["acknowledged", "handled", "acknowledged"]);
  for (const { downMs } of restarts) {
    expect(downMs).toBeGreaterThanOrEqual(1_000);
    expect(downMs).toBeLessThanOrEqual(5_000);
  }
});

test("some messages fail once, some twice, a few for good, and some take their time", () => {
  const all = Array.from({ length: 10_000 }, (_, index) => behaviourOf(7, index));
  const share = (wanted: (behaviour: (typeof all)[number]) => boolean) => all.filter(wanted).length / all.length;
  expect(share(({ failures }) => failures === 1)).toBeCloseTo(0.01, 2);
  expect(share(({ failures }) => failures === 2)).toBeCloseTo(0.004, 2);
  expect(all.filter((_, index) => failsForGood(7, index)).length).toBeGreaterThan(0);
  expect(share(({ failures }) => failures > 2)).toBeLessThan(0.005);
  expect(share(({ takesMs }) => takesMs > 0)).toBeCloseTo(0.1, 1);
});

test.each([
  [[], "name one broker"],
  [["kafka"], "name one broker"],
  [["nats", "rabbit"], "name one broker"],
  [["nats", "--seed", "x"], "--seed"],
  [["nats", "--commands", "0"], "--commands"],
  [["nats", "--commands", "1", "--events", "1"], "exclude each other"],
  [["nats", "--nonsense"], "nonsense"],
])("the arguments %j are refused with a reason", (args, reason) => {
  expect(() => parseOptions(args)).toThrow(reason);
});

test("events have defaults of their own, and a seed is drawn where none is given", () => {
  const events = parseOptions(["rabbit", "--events", "10000"]).options;
  expect(events).toMatchObject({ kind: "events", messages: 10_000, processes: 2, kills: 0, restarts: 1 });
  expect(events.seed).toBeGreaterThanOrEqual(0);
});
