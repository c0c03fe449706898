import type { DeliveryHandler, Settlement } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../../packages/core/src/memory/adapter.ts";
import type { Break, Changes } from "./break.ts";

/** A command bus that does something else with settlements. */
function settling({ commandBus }: MemoryAdapter, change: (settlement: Settlement) => Settlement): Changes {
  const changed =
    (handle: DeliveryHandler): DeliveryHandler =>
    async (delivery) =>
      change(await handle(delivery));
  return { commandBus: { work: (queue, options, handle) => commandBus.work(queue, options, changed(handle)) } };
}

let copies = 0;

/** Buses and streams that do not carry what the life of tasks rests on. */
export const CARRIERS: readonly Break[] = [
  [
    "commands are lost",
    ["submitter-dies", "submitter-dies-another-submits", "submitter-refused", "submitter-lost"],
    () => ({ commandBus: { send: async () => {} } }),
  ],
  [
    "dead letters come back",
    [
      "worker-refused-exhausted",
      "worker-lost-exhausted",
      "worker-outage-exhausted",
      "worker-cut-exhausted",
      "worker-refused-refused",
      "worker-lost-refused",
      "worker-outage-refused",
      "worker-cut-refused",
    ],
    (adapter) =>
      settling(adapter, (settlement) =>
        settlement.kind === "dead-letter" ? { kind: "retry", delayMs: 500, counted: true } : settlement,
      ),
  ],
  [
    "what is acknowledged comes back",
    [
      "submitter-dies",
      "submitter-dies-another-submits",
      "worker-refused-plain",
      "worker-lost-plain",
      "worker-refused-workflow",
      "worker-lost-workflow",
    ],
    (adapter) =>
      settling(adapter, (settlement) =>
        settlement.kind === "ack" ? { kind: "retry", delayMs: 500, counted: true } : settlement,
      ),
  ],
  [
    "an event that is published again is another one",
    [
      "worker-dies-plain-worker",
      "worker-dies-plain-sweeper",
      "worker-dies-parent-worker",
      "worker-dies-parent-sweeper",
      "worker-refused-plain",
      "worker-cut-plain",
      "worker-refused-retried",
      "worker-cut-retried",
      "worker-refused-exhausted",
      "worker-cut-exhausted",
      "worker-refused-refused",
      "worker-cut-refused",
      "worker-refused-parent",
      "worker-cut-parent",
      "worker-refused-failing-parent",
      "worker-cut-failing-parent",
      "worker-refused-workflow",
      "worker-cut-workflow",
      "worker-refused-deep",
      "worker-cut-deep",
      "worker-refused-cancelled",
      "worker-cut-cancelled",
    ],
    ({ eventBus }) => ({
      eventBus: {
        publish: (events) => eventBus.publish(events.map((event) => ({ ...event, id: `${event.id}#${++copies}` }))),
      },
    }),
  ],
  [
    "the end of a run is not written",
    [
      "worker-stops-plain",
      "worker-stops-retried",
      "worker-stops-exhausted",
      "worker-stops-refused",
      "worker-stops-parent",
      "worker-stops-failing-parent",
      "worker-stops-workflow",
      "worker-stops-deep",
      "worker-stops-cancelled",
      "worker-outage-plain",
      "worker-outage-retried",
      "worker-outage-exhausted",
      "worker-outage-refused",
      "worker-outage-parent",
      "worker-outage-failing-parent",
      "worker-outage-workflow",
      "worker-outage-deep",
      "worker-outage-cancelled",
    ],
    () => ({ eventStream: { finish: async () => {} } }),
  ],
  [
    "the end of a run does not seal its stream",
    [
      "worker-dies-refused-worker",
      "worker-dies-refused-sweeper",
      "worker-lost-plain",
      "worker-lost-retried",
      "worker-lost-exhausted",
      "worker-lost-refused",
      "worker-lost-parent",
      "worker-lost-failing-parent",
      "worker-lost-workflow",
      "worker-lost-deep",
      "worker-lost-cancelled",
    ],
    ({ eventStream }) => ({
      eventStream: {
        finish: async (finishes) => {
          await eventStream.append(
            finishes.map(({ streamId, event }) => ({ streamId, events: [{ ...event, writer: `end-${++copies}` }] })),
          );
        },
      },
    }),
  ],
];
