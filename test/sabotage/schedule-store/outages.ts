import { IntermodalError, isIntermodalError, type ScheduleStore } from "@intermodal/core/ports";
import type { Break } from "./store.ts";

/** Every method, with the error that it rejects with changed. */
function withErrors(store: ScheduleStore, change: (error: unknown) => unknown): Partial<ScheduleStore> {
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw change(error);
    }
  };
  return {
    get: (names) => call(() => store.get(names)),
    put: (writes) => call(() => store.put(writes)),
    remove: (names) => call(() => store.remove(names)),
    list: (options) => call(() => store.list(options)),
    due: (options) => call(() => store.due(options)),
  };
}

/** One code of errors told as another. */
function disguised(code: "CLOSED" | "UNAVAILABLE", as: "CLOSED" | "UNAVAILABLE") {
  return (error: unknown) => (isIntermodalError(error, code) ? new IntermodalError(as, "disguised") : error);
}

/** Broken promises about stores that are away or closed. */
export const OUTAGES: readonly Break[] = [
  [
    "says that it is away when it is closed",
    ["closed"],
    (store) => withErrors(store, disguised("CLOSED", "UNAVAILABLE")),
  ],
  [
    "says that it is closed when it is away",
    ["unreachable", "restart"],
    (store) => withErrors(store, disguised("UNAVAILABLE", "CLOSED")),
  ],
  [
    "forgets when it is stopped",
    ["restart"],
    (store, { adapter, shared }) => {
      adapter.connection.onLost(() => shared.set("restarted", true));
      return {
        get: async (names) => {
          const reading = await store.get(names);
          return shared.has("restarted") ? { ...reading, schedules: names.map(() => undefined) } : reading;
        },
      };
    },
  ],
];
