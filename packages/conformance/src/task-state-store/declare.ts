import { assert } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";
import { Store } from "./store.ts";

/** Declares a case of this port; `store` is the first client. */
export function storeCase(
  name: string,
  guarantees: readonly string[],
  title: string,
  run: (t: CaseContext, store: Store) => Promise<void>,
  needs?: readonly FaultName[],
): ConformanceCase {
  return {
    id: `task-state-store/${name}`,
    subject: "taskStateStore",
    guarantees,
    title,
    ...(needs === undefined ? {} : { needs }),
    run: async (t) => run(t, await openStore(t)),
  };
}

/** Another client's store. */
export async function openStore(t: CaseContext, options?: { readonly namespace?: string }): Promise<Store> {
  const { taskStateStore } = await t.open(options);
  assert(taskStateStore !== undefined, "the adapter has a task state store");
  return new Store(taskStateStore, t);
}

export async function openStores(t: CaseContext, count: number): Promise<readonly Store[]> {
  return Promise.all(Array.from({ length: count }, () => openStore(t)));
}
