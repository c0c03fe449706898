import { describe, expect, test } from "vitest";
import { flakyModel } from "./flaky-model.ts";
import { extractiveModel, ModelBusyError } from "./model.ts";

const AT_ONCE = { callsPerSecond: 1_000_000, latencyMs: [0, 0] } as const;
const texts = Array.from({ length: 200 }, (_, index) => `This is the text number ${index}.`);

async function failuresOf(seed: number, failureRate: number): Promise<string[]> {
  const model = flakyModel(extractiveModel, { ...AT_ONCE, seed, failureRate });
  const settled = await Promise.allSettled(texts.map((text) => model.summarise(text, { sentences: 1 })));
  return settled.flatMap((result, index) =>
    result.status === "rejected" ? [`${index}: ${result.reason.message}`] : [],
  );
}

describe("a flaky model", () => {
  test("fails now and then, and by the same seed at the same calls", async () => {
    const failures = await failuresOf(1, 0.1);
    expect(failures.length).toBeGreaterThan(5);
    expect(failures.length).toBeLessThan(50);
    expect(await failuresOf(1, 0.1)).toEqual(failures);
    expect(await failuresOf(2, 0.1)).not.toEqual(failures);
    expect(await failuresOf(1, 0)).toEqual([]);
  });

  test("answers as the model behind it", async () => {
    const model = flakyModel(extractiveModel, { ...AT_ONCE, seed: 1, failureRate: 0 });
    const text = "The keeper lit the lamp. The harbour was dark.";
    expect(await model.summarise(text, { sentences: 1 })).toBe(await extractiveModel.summarise(text, { sentences: 1 }));
    expect(await model.describeScene(text)).toEqual(await extractiveModel.describeScene(text));
  });

  test("never answers for a text that it is told to refuse", async () => {
    const model = flakyModel(extractiveModel, {
      ...AT_ONCE,
      seed: 1,
      failureRate: 0,
      neverFor: (text) => text === "no",
    });
    for (let attempt = 0; attempt < 5; attempt++) await expect(model.describeScene("no")).rejects.toThrow(/refuses/);
    await expect(model.describeScene("yes")).resolves.toBeDefined();
  });

  test("refuses the first call past its limit, lets those after it wait, and stops waiting when asked", async () => {
    const model = flakyModel(extractiveModel, { seed: 1, failureRate: 0, latencyMs: [0, 0], callsPerSecond: 2 });
    const stop = new AbortController();
    const calls = ["a", "b", "c", "d"].map((text) => model.describeScene(text, { signal: stop.signal }));
    const refused = await (calls[2] as Promise<unknown>).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ModelBusyError);
    expect((refused as ModelBusyError).retryAfterMs).toBeGreaterThan(0);
    expect((refused as ModelBusyError).retryAfterMs).toBeLessThanOrEqual(1_000);
    await Promise.all(calls.slice(0, 2));
    stop.abort();
    await expect(calls[3]).rejects.toThrow(/abort/);
  });
});
