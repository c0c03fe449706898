import type { Clock } from "../ports/clock.ts";
import { InboxTable } from "./inbox-table.ts";
import type { MemoryLimits } from "./limits.ts";
import { RateTable } from "./rate-table.ts";
import { ScheduleTable } from "./schedule-table.ts";
import { StreamTable } from "./stream-table.ts";
import { TaskSweep } from "./task-sweep.ts";
import { TaskTable } from "./task-table.ts";

/** What a store keeps of one namespace. */
export interface StoreNamespace {
  readonly tasks: TaskTable;
  readonly sweep: TaskSweep;
  readonly streams: StreamTable;
  readonly schedules: ScheduleTable;
  readonly rates: RateTable;
  readonly inbox: InboxTable;
}

/** The server's side of everything that is kept: tasks, streams, schedules, permits and completed messages, by namespace. */
export class Store {
  /** The server's clock: leases and times of day come from it, whatever the clients' clocks say. */
  readonly clock: Clock;
  readonly limits: MemoryLimits;
  readonly #namespaces = new Map<string, StoreNamespace>();

  constructor(clock: Clock, limits: MemoryLimits) {
    this.clock = clock;
    this.limits = limits;
  }

  namespace(name: string): StoreNamespace {
    let namespace = this.#namespaces.get(name);
    if (namespace === undefined) {
      const tasks = new TaskTable(this.limits.maxFinishedTasks);
      namespace = {
        tasks,
        sweep: new TaskSweep(tasks),
        streams: new StreamTable(this.clock, this.limits.maxStreamEvents),
        schedules: new ScheduleTable(),
        rates: new RateTable(),
        inbox: new InboxTable(),
      };
      this.#namespaces.set(name, namespace);
    }
    return namespace;
  }
}
