import {
  AssertionError,
  type CaseContext,
  type ConformanceCase,
  casesFor,
  type Harness,
  runCase,
  subjectsOf,
} from "@intermodal/conformance";
import type { Adapter } from "@intermodal/core/ports";
import { describe, expect, test } from "vitest";
import { memoryHarness } from "./memory-harness.ts";

function probe(run: (t: CaseContext) => Promise<void>, needs?: ConformanceCase["needs"]): ConformanceCase {
  return { id: "probe/case", subject: "commandBus", guarantees: [], title: "a probe", run, ...(needs && { needs }) };
}

/** A harness that notes what is opened, closed and cleaned up. */
function noting(harness: Harness = memoryHarness()) {
  const notes: string[] = [];
  const adapters: Adapter[] = [];
  const noted: Harness = {
    ...harness,
    async create(options) {
      const adapter = await harness.create(options);
      const close = adapter.close.bind(adapter);
      adapter.close = () => {
        notes.push(`closed ${options.node}`);
        return close();
      };
      adapters.push(adapter);
      notes.push(`opened ${options.node}`);
      return adapter;
    },
    cleanup: async (namespace) => {
      notes.push(`cleaned ${namespace}`);
    },
  };
  return { harness: noted, notes, adapters };
}

/** A harness in real time whose adapter does nothing. */
const realTime: Harness = {
  name: "real",
  create: () => ({ name: "none", close: async () => {} }) as unknown as Adapter,
};

describe("runCase", () => {
  test("passes a case that resolves and fails one that rejects", async () => {
    expect(
      await runCase(
        probe(async () => {}),
        memoryHarness(),
      ),
    ).toEqual({ status: "passed" });
    const error = new Error("broken");
    const failing = probe(() => Promise.reject(error));
    expect(await runCase(failing, memoryHarness())).toEqual({ status: "failed", error });
  });

  test("skips with the reason that the case gives, or with the faults that the harness lacks", async () => {
    const skipping = probe(async (t) => t.skip("not here"));
    expect(await runCase(skipping, memoryHarness())).toEqual({ status: "skipped", reason: "not here" });
    const needing = probe(async () => {}, ["cut", "mend"]);
    expect(await runCase(needing, realTime)).toEqual({ status: "skipped", reason: "real has no fault hook cut, mend" });
  });

  test("closes every client and cleans every namespace, also after a failure", async () => {
    const { harness, notes } = noting();
    const namespaces: string[] = [];
    const testCase = probe(async (t) => {
      await t.open();
      await t.open({ namespace: `${t.namespace}-other` });
      namespaces.push(t.namespace, `${t.namespace}-other`);
      throw new Error("broken");
    });
    expect((await runCase(testCase, harness)).status).toBe("failed");
    const nodes = notes.filter((note) => note.startsWith("opened")).map((note) => note.slice("opened ".length));
    expect(new Set(nodes).size).toBe(2);
    expect(notes.slice(2)).toEqual([
      ...nodes.map((node) => `closed ${node}`),
      ...namespaces.map((name) => `cleaned ${name}`),
    ]);
  });

  test("gives every case a namespace of its own", async () => {
    const namespaces = new Set<string>();
    const testCase = probe(async (t) => {
      namespaces.add(t.namespace);
    });
    for (let run = 0; run < 3; run++) await runCase(testCase, memoryHarness());
    expect(namespaces.size).toBe(3);
  });

  test("starts and mends what a failed case left broken, and leaves the dead alone", async () => {
    const { harness, notes, adapters } = noting();
    const testCase = probe(
      async (t) => {
        await t.faults.cut(await t.open());
        await t.faults.kill(await t.open());
        await t.faults.stop();
        throw new Error("in the middle");
      },
      ["cut", "mend", "kill", "stop", "start"],
    );
    const wrapped: Harness = { ...harness, faults: notingFaults(harness, notes) };
    expect((await runCase(testCase, wrapped)).status).toBe("failed");
    expect(adapters.length).toBe(2);
    expect(notes.filter((note) => !note.startsWith("opened") && !note.startsWith("cleaned"))).toEqual([
      "cut",
      "kill",
      "stop",
      "start",
      "mend",
      expect.stringMatching(/^closed node-/),
    ]);
  });

  test("fails a case that uses a fault it does not name", async () => {
    const { error } = await runCase(
      probe((t) => t.faults.stop()),
      memoryHarness(),
    );
    expect(String(error)).toContain('probe/case uses the fault "stop" without naming it');
  });

  test("fails a client whose close rejects or hangs", async () => {
    const rejecting = {
      ...realTime,
      create: () => ({ name: "none", close: () => Promise.reject(new Error("no")) }) as unknown as Adapter,
    };
    const testCase = probe(async (t) => {
      await t.open();
    });
    expect(String((await runCase(testCase, rejecting)).error)).toContain("close() of an adapter rejected: Error: no");
    const hanging: Harness = {
      ...memoryHarness(),
      create: () => ({ name: "none", close: () => new Promise(() => {}) }) as unknown as Adapter,
    };
    expect(String((await runCase(testCase, hanging)).error)).toContain(
      "clearing up after probe/case waits for something that never comes",
    );
  });
});

function notingFaults(harness: Harness, notes: string[]): NonNullable<Harness["faults"]> {
  const { faults = {} } = harness;
  const note =
    <Args extends unknown[]>(name: string, run: ((...args: Args) => Promise<void>) | undefined) =>
    async (...args: Args) => {
      notes.push(name);
      await run?.(...args);
    };
  return {
    cut: note("cut", faults.cut),
    mend: note("mend", faults.mend),
    kill: note("kill", faults.kill),
    stop: note("stop", faults.stop),
    start: note("start", faults.start),
  };
}

describe.each([
  ["virtual", () => memoryHarness()],
  ["real", () => realTime],
])("waiting in %s time", (_, harness) => {
  test("until resolves when its condition holds, and fails by name when it does not in time", async () => {
    const holding = probe(async (t) => {
      let held = false;
      t.clock.schedule(30, () => {
        held = true;
      });
      await t.until("it holds", async () => held);
    });
    expect(await runCase(holding, harness())).toEqual({ status: "passed" });
    const failing = probe((t) => t.until("pigs fly", () => false, { withinMs: 50 }));
    const { error } = await runCase(failing, harness());
    expect(error).toBeInstanceOf(AssertionError);
    expect(String(error)).toContain("waited 50 ms in vain: pigs fly");
  });

  test("never fails when its condition comes true", async () => {
    const looking = (happensInMs: number, forMs: number) =>
      probe(async (t) => {
        let happened = false;
        t.clock.schedule(happensInMs, () => {
          happened = true;
        });
        await t.never("it happened", () => happened, { forMs });
      });
    expect(await runCase(looking(3_600_000, 50), harness())).toEqual({ status: "passed" });
    expect(String((await runCase(looking(20, 10_000), harness())).error)).toMatch(/after: it happened/);
  });

  test("sleep passes at least its time on the clock", async () => {
    const sleeping = probe(async (t) => {
      const before = t.clock.now();
      await t.sleep(50);
      if (t.clock.now() - before < 50) throw new Error("too short");
    });
    expect(await runCase(sleeping, harness())).toEqual({ status: "passed" });
  });

  test("a case that hangs fails at its limit, and says what it waits for", async () => {
    const hanging = probe(async (t) => {
      t.waitsFor("what comes")();
      t.waitsFor("what never comes");
      await t.until("the past returns", () => new Promise(() => {}));
    });
    const { status, error } = await runCase(hanging, harness(), { limitMs: 100 });
    expect(status).toBe("failed");
    expect(error).toBeInstanceOf(AssertionError);
    expect(String(error)).toContain("probe/case (waiting for: what never comes; the past returns) ");
  });
});

describe("virtual time", () => {
  test("passes while a case awaits what needs time, without being told to", async () => {
    const testCase = probe(async (t) => {
      await new Promise<void>((resume) => t.clock.schedule(90_000, resume));
    });
    expect(await runCase(testCase, memoryHarness())).toEqual({ status: "passed" });
  });

  test("fails a case that waits for what never comes, long before its limit", async () => {
    const { error } = await runCase(
      probe(() => new Promise(() => {})),
      memoryHarness(),
    );
    expect(String(error)).toContain("waits for something that never comes");
  });
});

describe("selecting cases", () => {
  test("by subjects", () => {
    const subjects = new Set(casesFor(["commandBus", "eventStream"]).map(({ subject }) => subject));
    expect([...subjects].sort()).toEqual(["commandBus", "eventStream"]);
    expect(casesFor([])).toEqual([]);
  });

  test("by the ports that an adapter has", async () => {
    const adapter = await memoryHarness().create({
      namespace: "n",
      node: "a",
      clock: { now: () => 0, schedule: () => () => {} },
    });
    expect(subjectsOf(adapter)).toEqual([
      "commandBus",
      "eventBus",
      "taskStateStore",
      "eventStream",
      "scheduleStore",
      "rateLimiter",
      "inbox",
      "lifecycle",
    ]);
    const { name, eventBus, connect, health, close } = adapter;
    const lesser: Adapter = { name, eventBus, connect, health, close };
    expect(subjectsOf(lesser)).toEqual(["eventBus"]);
    expect(new Set(casesFor(lesser).map(({ subject }) => subject))).toEqual(new Set(["eventBus"]));
    await adapter.close();
  });
});
