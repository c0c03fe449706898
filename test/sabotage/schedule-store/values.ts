import { MemoryScheduleStore } from "../../../packages/core/src/memory/schedule-store.ts";
import type { Break } from "./store.ts";

/** Broken promises about names, definitions and namespaces. */
export const VALUES: readonly Break[] = [
  [
    "takes names that look alike for one",
    ["hostile-names"],
    (store) => ({
      get: async (names) => store.get(names.map((name) => name.trim())),
      put: async (writes) => store.put(writes.map((write) => ({ ...write, name: write.name.trim() }))),
    }),
  ],
  [
    "keeps no null",
    ["hostile-definitions"],
    (store) => ({
      put: async (writes) =>
        store.put(
          writes.map((write) => {
            const { schedule } = write;
            const { definition } = schedule;
            const input = definition.input === null ? "" : definition.input;
            return { ...write, schedule: { ...schedule, definition: { ...definition, input } } };
          }),
        ),
    }),
  ],
  [
    "keeps definitions of any length",
    ["definition-limit"],
    (store) => ({ capabilities: { maxDefinitionBytes: store.capabilities.maxDefinitionBytes / 2 } }),
  ],
  [
    "is one for all namespaces",
    ["namespaces"],
    (_, { server, adapter }) => {
      const one = new MemoryScheduleStore(server.store, adapter.connection, "one");
      return {
        get: (names) => one.get(names),
        put: (writes) => one.put(writes),
        remove: (names) => one.remove(names),
        list: (options) => one.list(options),
        due: (options) => one.due(options),
      };
    },
  ],
];
