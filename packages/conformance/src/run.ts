import type { Adapter } from "@intermodal/core/ports";
import { AssertionError, fail } from "./assert.ts";
import type { CaseContext, ConformanceCase } from "./case.ts";
import { GuardedFaults } from "./faults.ts";
import type { Harness } from "./harness.ts";
import { type CaseTime, caseTime } from "./time.ts";

export interface CaseResult {
  readonly status: "passed" | "failed" | "skipped";
  /** Why it was skipped. */
  readonly reason?: string | undefined;
  /** Why it failed. */
  readonly error?: unknown;
}

export interface RunOptions {
  /**
   * The longest a case may take, in milliseconds of the machine's time, before it counts as failed.
   * @default 300,000
   */
  readonly limitMs?: number | undefined;
}

/** How cases are declared to a test runner. */
export interface BindOptions extends RunOptions {
  /**
   * Whether cases run beside each other: most of the time they wait for leases and delays. Not for cases that stop a server which others use. How many at
   * once is the runner's setting.
   * @default false
   */
  readonly concurrent?: boolean | undefined;
}

/** What a case that hangs is cut off after. */
export const DEFAULT_LIMIT_MS = 300_000;

/** For closing and cleaning up after a case. */
export const CLEANUP_LIMIT_MS = 30_000;

const MOMENTS = 10;

/** Thrown by a case that does not apply; the reason is its message. */
export class SkipError extends Error {
  override readonly name: string = "SkipError";
}

/**
 * Runs one case against one harness, in a namespace of its own, and clears up afterwards: mends what the case broke, closes every client it opened,
 * removes what it left. Never rejects, so that any runner can loop over cases.
 */
export async function runCase(
  testCase: ConformanceCase,
  harness: Harness,
  options: RunOptions = {},
): Promise<CaseResult> {
  const lacking = testCase.needs?.filter((name) => harness.faults?.[name] === undefined) ?? [];
  if (lacking.length > 0)
    return { status: "skipped", reason: `${harness.name} has no fault hook ${lacking.join(", ")}` };
  const run = new CaseRun(testCase, harness);
  let result: CaseResult;
  try {
    const what = () => testCase.id + run.waiting;
    await run.time.drive(what, testCase.run(run.context()), options.limitMs ?? DEFAULT_LIMIT_MS);
    result = { status: "passed" };
  } catch (error) {
    result = error instanceof SkipError ? { status: "skipped", reason: error.message } : { status: "failed", error };
  }
  try {
    await run.time.drive(() => `clearing up after ${testCase.id}`, run.clearUp(), CLEANUP_LIMIT_MS);
  } catch (error) {
    if (result.status !== "failed") result = { status: "failed", error };
  }
  return result;
}

let nodes = 0;

class CaseRun {
  readonly time: CaseTime;
  readonly #harness: Harness;
  readonly #namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
  readonly #namespaces = new Set([this.#namespace]);
  readonly #faults: GuardedFaults;
  readonly #adapters: Adapter[] = [];
  readonly #waitsFor = new Map<symbol, string>();

  constructor(testCase: ConformanceCase, harness: Harness) {
    this.#harness = harness;
    this.time = caseTime(harness.virtualClock);
    this.#faults = new GuardedFaults(testCase, harness.faults ?? {});
  }

  /** What the case waits for now, as it goes into an error. */
  get waiting(): string {
    return this.#waitsFor.size === 0 ? "" : ` (waiting for: ${[...this.#waitsFor.values()].join("; ")})`;
  }

  context(): CaseContext {
    const { time } = this;
    return {
      namespace: this.#namespace,
      clock: time.clock,
      faults: this.#faults,
      open: (options) => this.#open(options),
      size: (full, small) => (this.#harness.size === "full" ? full : small),
      moments: this.#harness.moments ?? MOMENTS,
      firstMoment: this.#harness.firstMoment ?? 1,
      sleep: (ms) => passUntil(time, time.clock.now() + ms),
      until: (what, condition, { withinMs = 10_000 } = {}) =>
        this.#during(what, until(time, what, condition, withinMs)),
      never: (what, condition, { forMs }) => this.#during(`never: ${what}`, never(time, what, condition, forMs)),
      waitsFor: (what) => this.#wait(what),
      skip: (reason) => {
        throw new SkipError(reason);
      },
    };
  }

  #wait(what: string): () => void {
    const key = Symbol(what);
    this.#waitsFor.set(key, what);
    return () => this.#waitsFor.delete(key);
  }

  async #during(what: string, watching: Promise<void>): Promise<void> {
    const end = this.#wait(what);
    await watching.finally(end);
  }

  async clearUp(): Promise<void> {
    await this.#faults.undo();
    const alive = this.#adapters.filter((adapter) => !this.#faults.isKilled(adapter));
    const results = await Promise.allSettled(alive.map((adapter) => adapter.close()));
    for (const namespace of this.#namespaces) await this.#harness.cleanup?.(namespace);
    for (const result of results)
      if (result.status === "rejected") throw new AssertionError(`close() of an adapter rejected: ${result.reason}`);
  }

  async #open(options: Parameters<CaseContext["open"]>[0] = {}): Promise<Adapter> {
    const { namespace = this.#namespace, clock = this.time.clock } = options;
    this.#namespaces.add(namespace);
    nodes++;
    const adapter = await this.#harness.create({ namespace, node: `node-${nodes}`, clock });
    this.#adapters.push(adapter);
    return adapter;
  }
}

async function passUntil(time: CaseTime, at: number): Promise<void> {
  while (time.clock.now() < at) await time.passUntil(at);
}

/** Looks often at first and then ever more rarely, so that a quick answer is seen at once and a long wait costs little. */
function nextLook(time: CaseTime, started: number, deadline: number): Promise<void> {
  const waited = time.clock.now() - started;
  return time.passUntil(Math.min(deadline, time.clock.now() + Math.min(500, Math.max(1, waited / 2))));
}

async function until(
  time: CaseTime,
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<void> {
  if (await condition()) return;
  await time.settle();
  const started = time.clock.now();
  const deadline = started + withinMs;
  while (!(await condition())) {
    if (time.clock.now() >= deadline) fail(`waited ${withinMs} ms in vain: ${what}`);
    await nextLook(time, started, deadline);
  }
}

async function never(
  time: CaseTime,
  what: string,
  condition: () => boolean | Promise<boolean>,
  forMs: number,
): Promise<void> {
  await time.settle();
  const started = time.clock.now();
  const deadline = started + forMs;
  for (;;) {
    if (await condition()) fail(`${time.clock.now() - started} ms after: ${what}`);
    if (time.clock.now() >= deadline) return;
    await nextLook(time, started, deadline);
  }
}
