import type { TaskRecord, TaskStateStore } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../../packages/core/src/memory/server.ts";
import { override, perServer, type Sabotage } from "../sabotage.ts";

/** What a sabotage has at hand besides the store that it breaks. */
export interface Surroundings {
  readonly server: MemoryServer;
  readonly adapter: MemoryAdapter;
  /** Shared by all clients of a server. */
  readonly shared: Map<string, unknown>;
}

export type Break = readonly [
  name: string,
  breaks: readonly string[],
  change: (store: TaskStateStore, surroundings: Surroundings) => Partial<TaskStateStore>,
];

/** The cases that must fail are named without their prefix. */
export function sabotagesOf(breaks: readonly Break[]): readonly Sabotage[] {
  return breaks.map(([name, caseNames, change]) => {
    const sharedBy = perServer(() => new Map<string, unknown>());
    return {
      name: `task-state-store ${name}`,
      subject: "taskStateStore",
      breaks: caseNames.map((caseName) => `task-state-store/${caseName}`),
      wrap: (adapter, server) => {
        const store = adapter.taskStateStore;
        const changed = override<TaskStateStore>(store, change(store, { server, adapter, shared: sharedBy(server) }));
        return override(adapter, { taskStateStore: changed as typeof store });
      },
    };
  });
}

/** The records of these items as they are now. */
export async function recordsOf(
  store: TaskStateStore,
  items: readonly { readonly id: string }[],
): Promise<readonly (TaskRecord | undefined)[]> {
  return store.get(items.map(({ id }) => id));
}
