import type { Adapter } from "@intermodal/core/ports";
import type { ConformanceCase } from "./case.ts";
import type { FaultName, Faults } from "./harness.ts";

/** The faults that a case named, and the memory of what it broke, so that the next case finds everything whole. */
export class GuardedFaults implements Faults {
  readonly #testCase: ConformanceCase;
  readonly #faults: Partial<Faults>;
  readonly #cut = new Set<Adapter>();
  readonly #killed = new Set<Adapter>();
  #stopped = false;

  constructor(testCase: ConformanceCase, faults: Partial<Faults>) {
    this.#testCase = testCase;
    this.#faults = faults;
  }

  stop(): Promise<void> {
    const stop = this.#named("stop");
    this.#stopped = true;
    return stop();
  }

  async start(): Promise<void> {
    await this.#named("start")();
    this.#stopped = false;
  }

  cut(adapter: Adapter): Promise<void> {
    const cut = this.#named("cut");
    this.#cut.add(adapter);
    return cut(adapter);
  }

  async mend(adapter: Adapter): Promise<void> {
    await this.#named("mend")(adapter);
    this.#cut.delete(adapter);
  }

  loseAnswers(adapter: Adapter, count: number): Promise<void> {
    return this.#named("loseAnswers")(adapter, count);
  }

  kill(adapter: Adapter): Promise<void> {
    const kill = this.#named("kill");
    this.#killed.add(adapter);
    return kill(adapter);
  }

  deleteConsumer(namespace: string, queue: string): Promise<void> {
    return this.#named("deleteConsumer")(namespace, queue);
  }

  trimEvents(namespace: string): Promise<void> {
    return this.#named("trimEvents")(namespace);
  }

  /** A dead process can't be closed. */
  isKilled(adapter: Adapter): boolean {
    return this.#killed.has(adapter);
  }

  /** Brings back what a case that failed in the middle left broken. */
  async undo(): Promise<void> {
    if (this.#stopped) await this.#faults.start?.();
    for (const adapter of this.#cut) if (!this.#killed.has(adapter)) await this.#faults.mend?.(adapter);
  }

  #named<Name extends FaultName>(name: Name): Faults[Name] {
    const fault = this.#faults[name];
    if (fault === undefined || !this.#testCase.needs?.includes(name)) {
      throw new Error(`${this.#testCase.id} uses the fault "${name}" without naming it in \`needs\``);
    }
    return fault.bind(this.#faults) as Faults[Name];
  }
}
