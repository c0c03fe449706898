import { isIntermodalError } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { storeCase } from "./declare.ts";
import { Store } from "./store.ts";

/** A client whose next answer is lost, over and over: each step is repeated until it is answered, as a caller would. */
export class Unlucky {
  readonly store: Store;
  readonly #loseNext: () => Promise<void>;
  readonly #t: CaseContext;

  constructor(store: Store, t: CaseContext, loseNext: () => Promise<void>) {
    this.store = store;
    this.#t = t;
    this.#loseNext = loseNext;
  }

  async twice<T>(what: string, step: (store: Store) => Promise<T>): Promise<T> {
    await this.#loseNext();
    const answers: T[] = [];
    await this.#t.until(`${what} is answered`, async () => {
      try {
        answers.push(await step(this.store));
        return true;
      } catch (error) {
        if (isIntermodalError(error, "UNAVAILABLE")) return false;
        throw error;
      }
    });
    return answers[0] as T;
  }
}

/** Declares a case of steps whose answers are lost. */
export function lostCase(
  name: string,
  guarantees: readonly string[],
  title: string,
  run: (t: CaseContext, lost: Unlucky, store: Store) => Promise<void>,
): ConformanceCase {
  return storeCase(
    name,
    guarantees,
    title,
    async (t, store) => {
      const adapter = await t.open();
      assert(adapter.taskStateStore !== undefined, "the adapter has a task state store");
      await run(t, new Unlucky(new Store(adapter.taskStateStore, t), t, () => t.faults.loseAnswers(adapter, 1)), store);
    },
    ["loseAnswers"],
  );
}
