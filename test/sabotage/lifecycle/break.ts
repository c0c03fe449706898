import type { CommandBus, EventBus, EventStream, Inbox, TaskStateStore } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../../packages/core/src/memory/server.ts";
import { override, type Sabotage } from "../sabotage.ts";

/** Parts of ports to be replaced. */
export interface Changes {
  readonly commandBus?: Partial<CommandBus>;
  readonly eventBus?: Partial<EventBus>;
  readonly taskStateStore?: Partial<TaskStateStore>;
  readonly eventStream?: Partial<EventStream>;
  readonly inbox?: Partial<Inbox>;
}

/** A way to break what the life of tasks rests on; the cases that must fail are named without their prefix. */
export type Break = readonly [
  name: string,
  breaks: readonly string[],
  change: (adapter: MemoryAdapter, server: MemoryServer) => Changes,
];

export function sabotagesOf(breaks: readonly Break[]): readonly Sabotage[] {
  return breaks.map(([name, caseNames, change]) => ({
    name: `lifecycle ${name}`,
    subject: "lifecycle",
    breaks: caseNames.map((caseName) => `lifecycle/${caseName}`),
    wrap: (adapter, server) => {
      const { commandBus, eventBus, taskStateStore, eventStream, inbox } = change(adapter, server);
      return override(adapter, {
        ...(commandBus && { commandBus: override<CommandBus>(adapter.commandBus, commandBus) }),
        ...(eventBus && { eventBus: override<EventBus>(adapter.eventBus, eventBus) }),
        ...(taskStateStore && { taskStateStore: override<TaskStateStore>(adapter.taskStateStore, taskStateStore) }),
        ...(eventStream && { eventStream: override<EventStream>(adapter.eventStream, eventStream) }),
        ...(inbox && { inbox: override<Inbox>(adapter.inbox, inbox) }),
      } as Partial<MemoryAdapter>);
    },
  }));
}
