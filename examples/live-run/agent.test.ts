import { expect, it } from "vitest";
import { answerQuestion } from "./agent.ts";
import type { AgentProgress } from "./contracts.ts";

/** All that the agent tells while it answers, without waiting. */
async function toldBy(seed: number, question = "Why do all containers have the same corner fittings?") {
  const told: [string, object][] = [];
  const result = await answerQuestion(
    { question, seed, paceMs: 0 },
    {
      emit: (name, data) => told.push([name, data]),
      progress: (progress: AgentProgress) => told.push(["progress", progress]),
      pause: async () => {},
    },
  );
  return { told, result };
}

it("tells the same story for the same seed, and another for another", async () => {
  expect(await toldBy(7)).toEqual(await toldBy(7));
  expect((await toldBy(7)).told).not.toEqual((await toldBy(8)).told);
});

it.each([0, 1, 7, 42, 999_999])(
  "plans, uses its tools, and writes what it answers token by token (seed %i)",
  async (seed) => {
    const { told, result } = await toldBy(seed);
    const named = (name: string) => told.filter(([of]) => of === name).map(([, data]) => data);
    expect(told[0]?.[0]).toBe("plan");
    expect(named("tool.call")).toHaveLength(result.toolCalls);
    expect(named("tool.result")).toHaveLength(result.toolCalls);
    expect(result.toolCalls).toBeGreaterThan(4);
    expect(
      named("token")
        .map((data) => ("text" in data ? data.text : ""))
        .join(""),
    ).toBe(result.answer);
    expect(named("progress").at(-1)).toEqual({ done: 6, total: 6, doing: "done" });
  },
);

it("calculates where there is something to calculate", async () => {
  const { told } = await toldBy(1, "What was the price of a ton?");
  expect(told).toContainEqual(["tool.result", { call: expect.any(Number), output: "37" }]);
});

it("answers whatever it is asked", async () => {
  expect((await toldBy(1, "?")).result.answer).not.toBe("");
});
