import { z } from "zod";
import type { App } from "../app/app.ts";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { type Logger, silentLogger } from "../ports/logger.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import { VirtualClock } from "../testing/index.ts";

export const report = defineTask("report", { input: z.object({ of: z.string() }) });
export const MINUTE_MS = 60_000;
export const minutely = { name: "minutely", everyMs: MINUTE_MS, input: { of: "it" } };

/** Workers over one server in memory, each a process of its own. */
export function deployment() {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const apps: App[] = [];
  return {
    clock,
    server,
    make(change: (store: ScheduleStore) => Partial<ScheduleStore> = () => ({}), logger: Logger = silentLogger) {
      const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger });
      const { commandBus, eventBus, taskStateStore, eventStream, scheduleStore: store } = adapter;
      const scheduleStore: ScheduleStore = {
        capabilities: store.capabilities,
        get: (names) => store.get(names),
        put: (writes) => store.put(writes),
        remove: (names) => store.remove(names),
        list: (options) => store.list(options),
        due: (options) => store.due(options),
        ...change(store),
      };
      const ports = { commandBus, eventBus, taskStateStore, eventStream, scheduleStore };
      const app = createApp({ name: "test", namespace: "test", clock, logger, ports });
      apps.push(app);
      return { app, adapter };
    },
    async stop() {
      await Promise.all(apps.map((app) => app.stop({ timeoutMs: 0 })));
    },
  };
}

export async function taskCount(app: App): Promise<number> {
  return (await app.tasks.list({ limit: 1_000 })).items.length;
}
