import type { ScheduleStore } from "@intermodal/core/ports";
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
  change: (store: ScheduleStore, surroundings: Surroundings) => Partial<ScheduleStore>,
];

/** The cases that must fail are named without their prefix, unless they are about the life of tasks. */
export function sabotagesOf(breaks: readonly Break[]): readonly Sabotage[] {
  return breaks.map(([name, caseNames, change]) => {
    const sharedBy = perServer(() => new Map<string, unknown>());
    return {
      name: `schedule-store ${name}`,
      subject: "scheduleStore",
      breaks: caseNames.map((caseName) => (caseName.includes("/") ? caseName : `schedule-store/${caseName}`)),
      wrap: (adapter, server) => {
        const store = adapter.scheduleStore;
        const changed = override<ScheduleStore>(store, change(store, { server, adapter, shared: sharedBy(server) }));
        return override(adapter, { scheduleStore: changed as typeof store });
      },
    };
  });
}
