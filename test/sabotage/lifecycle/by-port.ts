import type { TaskStateStore } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../../packages/core/src/memory/server.ts";
import { type BusName, type BusParts, withBus } from "../bus.ts";
import type { Sabotage } from "../sabotage.ts";
import { sabotagesOf } from "./break.ts";

/** A bus that breaks the life of tasks; the cases that must fail are named without their prefix. */
export function busSabotage(
  bus: BusName,
  name: string,
  caseNames: readonly string[],
  parts: (server: MemoryServer, adapter: MemoryAdapter) => BusParts,
): Sabotage {
  return {
    name: `lifecycle a ${bus} that ${name}`,
    subject: "lifecycle",
    breaks: caseNames.map((caseName) => `lifecycle/${caseName}`),
    wrap: (adapter, server) => withBus(adapter, bus, parts(server, adapter)),
  };
}

/** A state store that breaks the life of tasks. */
export function storeSabotage(
  name: string,
  caseNames: readonly string[],
  change: (store: TaskStateStore, server: MemoryServer) => Partial<TaskStateStore>,
): Sabotage {
  const broken = (adapter: MemoryAdapter, server: MemoryServer) => ({
    taskStateStore: change(adapter.taskStateStore, server),
  });
  return sabotagesOf([[`a store that ${name}`, caseNames, broken]])[0] as Sabotage;
}
