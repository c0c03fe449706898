import { ACK, type DeliveryHandler, isTerminal, type Settlement } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../../packages/core/src/memory/adapter.ts";
import type { Break, Changes } from "./break.ts";

const CANCELLED = { kind: "failed", status: "CANCELLED", error: { name: "Error", message: "cancelled" } } as const;

/** Cancelling, and what it does to families. */
const CANCELLING: readonly Break[] = [
  [
    "requests to cancel get lost",
    [
      "cancel-queued",
      "cancel-delayed",
      "cancel-retrying",
      "cancel-running",
      "cancel-call",
      "cancel-awaiting-children",
      "cancel-grandchildren",
      "cancel-ignored",
      "family-parent-fails",
      "family-parent-dies",
      "run-stream-cancelled",
    ],
    ({ taskStateStore: store }) => ({ taskStateStore: { requestCancel: (ids) => store.get(ids) } }),
  ],
  [
    "only roots can be cancelled",
    ["cancel-awaiting-children", "cancel-call", "cancel-grandchildren", "family-parent-fails"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        requestCancel: async (ids) =>
          store.get((await store.requestCancel(ids.filter((id) => !id.includes("/")))) && ids),
      },
    }),
  ],
  [
    "tasks that have ended are shown as cancelled when they are asked to stop",
    ["cancel-late"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        requestCancel: async (ids) =>
          (await store.requestCancel(ids)).map(
            (record) => record && { ...record, status: isTerminal(record.status) ? "CANCELLED" : record.status },
          ),
      },
    }),
  ],
  [
    "a request to cancel overrules a completion",
    ["cancel-ignored"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        settle: async (settles) => {
          const records = await store.get(settles.map(({ id }) => id));
          return store.settle(
            settles.map((each, at) => (records[at]?.cancelRequested ? { ...each, outcome: CANCELLED } : each)),
          );
        },
      },
    }),
  ],
];

let tellings = 0;

const FAMILIES: readonly Break[] = [
  [
    "failed sub-tasks count as completed",
    ["family-with-errors", "run-stream-completed-with-errors", "replay-child", "replayer-dies-grandchild"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { childEnded: (ends) => store.childEnded(ends.map((end) => ({ ...end, status: "COMPLETED" }))) },
    }),
  ],
  [
    "the first sub-task to end closes its parent",
    ["family-completes", "family-told-twice", "family-parent-fails", "family-parent-dies"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        childEnded: async (ends) => {
          const parents = await store.get(ends.map(({ parentId }) => parentId));
          const all = ends.flatMap((end, at) =>
            Object.entries(parents[at]?.children ?? {}).map(([key, { id, series }]) => ({
              ...end,
              key,
              childId: id,
              series,
            })),
          );
          return (await store.childEnded(all)).slice(-ends.length);
        },
      },
    }),
  ],
  [
    "the end of a sub-task counts whenever it is told",
    ["family-told-twice"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        childEnded: (ends) => store.childEnded(ends.map((end) => ({ ...end, series: end.series + ++tellings }))),
      },
    }),
  ],
  [
    "why a task failed is forgotten",
    ["failed-step", "family-with-errors", "family-parent-fails", "family-parent-dies"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        settle: (settles) =>
          store.settle(
            settles.map((each) =>
              each.outcome.kind === "failed"
                ? { ...each, outcome: { ...each.outcome, error: { name: "Error", message: "something" } } }
                : each,
            ),
          ),
      },
    }),
  ],
];

const REPLAYS: readonly Break[] = [
  [
    "what is discarded from the dead letters stays",
    ["replay-dead-letter"],
    ({ commandBus }) => ({
      commandBus: {
        deadLetters: {
          list: (place, options) => commandBus.deadLetters.list(place, options),
          replay: (place, ids) => commandBus.deadLetters.replay(place, ids),
          discard: async (_, ids) => ids.length,
        },
      },
    }),
  ],
  [
    "parents stay as they ended when a sub-task runs again",
    ["replay-child", "replayer-dies-grandchild"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { reopenChild: async ({ parentId }) => (await store.get([parentId]))[0] },
    }),
  ],
  [
    "a replay forgets the finished steps",
    ["replay-workflow"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        reopen: async (ask) => store.reopen({ ...ask, input: ask.input ?? (await store.get([ask.id]))[0]?.input }),
      },
    }),
  ],
  [
    "a replay ignores the changed input",
    ["replay-changed-input"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { reopen: (ask) => store.reopen({ ...ask, input: undefined }) },
    }),
  ],
  [
    "sub-tasks do not know their parents when they are read",
    ["replay-refused", "replay-child"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        get: async (ids) => (await store.get(ids)).map((record) => record && { ...record, parentId: undefined }),
      },
    }),
  ],
  [
    "every replay is told that it has won",
    ["replay-twice"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { reopen: async (ask) => (await store.reopen(ask)) ?? (await store.get([ask.id]))[0] },
    }),
  ],
  [
    "the sweep does not find what was never sent",
    ["replayer-dies-dead-letter", "replayer-dies-grandchild"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        recover: async (options) => {
          const page = await store.recover(options);
          return page && { ...page, items: page.items.filter(({ reason }) => reason !== "unsent") };
        },
      },
    }),
  ],
];

const STREAMS: readonly Break[] = [
  [
    "streams do not end",
    ["run-stream-family", "run-stream-replay", "run-stream-completed", "dead-stream", "dead-stream-counted"],
    () => ({ eventStream: { finish: async () => {} } }),
  ],
  [
    "every stream ends as completed",
    ["run-stream-failed", "run-stream-cancelled", "run-stream-dead-letter"],
    ({ eventStream }) => ({
      eventStream: {
        finish: (finishes) =>
          eventStream.finish(
            finishes.map((each) => ({ ...each, event: { ...each.event, event: "lifecycle.completed" } })),
          ),
      },
    }),
  ],
  [
    "streams tell nothing of sub-tasks",
    ["run-stream-family"],
    ({ eventStream }) => ({
      eventStream: {
        append: (appends) =>
          eventStream.append(
            appends.map((each) => ({ ...each, events: each.events.filter(({ event }) => !event.startsWith("task.")) })),
          ),
      },
    }),
  ],
  [
    "a replay goes on in the stream that has ended",
    ["run-stream-replay"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { reopen: (ask) => store.reopen({ ...ask, streamId: undefined }) },
    }),
  ],
  [
    "streams swallow what comes after their end",
    ["dead-stream-counted"],
    ({ eventStream }) => ({
      eventStream: {
        append: (appends) => eventStream.append(appends).catch(() => appends.map(({ events }) => events.map(() => 1))),
      },
    }),
  ],
];

/** A command bus whose workers handle deliveries in another way. */
function handling({ commandBus }: MemoryAdapter, change: (handle: DeliveryHandler) => DeliveryHandler): Changes {
  return {
    commandBus: { work: (queue, _, handle) => commandBus.work(queue, { concurrency: 100 }, change(handle)) },
  };
}

const DRAINING: readonly Break[] = [
  [
    "settlements after a consumption was closed get lost",
    ["drain-running"],
    ({ commandBus }) => {
      let closed = false;
      const late = (settlement: Settlement): Settlement => (closed ? { kind: "leave" } : settlement);
      return {
        commandBus: {
          work: async (queue, options, handle) => {
            const consumption = await commandBus.work(queue, options, async (each) => late(await handle(each)));
            return {
              close: (limit) => {
                closed = true;
                return consumption.close(limit);
              },
            };
          },
        },
      };
    },
  ],
  [
    "what waits behind a running delivery is not handed back",
    ["drain-not-started"],
    (adapter) => {
      let last: Promise<unknown> = Promise.resolve();
      return handling(adapter, (handle) => (delivery) => {
        const handled = last.then(() => handle(delivery));
        last = handled;
        return handled;
      });
    },
  ],
  [
    "a task that is handed back has had an attempt",
    ["drain-limit", "drain-waiting"],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        settle: (settles) =>
          store.settle(
            settles.map((each) =>
              each.outcome.kind === "released"
                ? { ...each, outcome: { kind: "retry", error: CANCELLED.error, delayMs: 0 } }
                : each,
            ),
          ),
      },
    }),
  ],
  [
    "leases are not renewed",
    ["drain-unfinished"],
    () => ({
      taskStateStore: {
        renew: async (renewals) => renewals.map(() => ({ held: true, expiresAt: 0, cancelRequested: false })),
      },
    }),
  ],
  [
    "a consumption goes on when it was closed, and keeps what it takes",
    ["drain-before-started"],
    ({ commandBus }) => {
      let closed = false;
      const kept = new Promise<Settlement>(() => {});
      return {
        commandBus: {
          work: async (queue, options, handle) => {
            await commandBus.work(queue, options, (delivery) => (closed ? kept : handle(delivery)));
            return {
              close: async () => {
                closed = true;
                return { running: 0 };
              },
            };
          },
        },
      };
    },
  ],
];

/** Event buses that settle in another way. */
function settling({ eventBus }: MemoryAdapter, change: (settlement: Settlement, id: string) => Settlement): Changes {
  return {
    eventBus: {
      listen: (listener, options, handle) =>
        eventBus.listen(listener, options, async (delivery) => change(await handle(delivery), delivery.id)),
    },
  };
}

let clients = 0;

const LISTENERS: readonly Break[] = [
  [
    "acknowledged events come once more",
    ["listener-versions"],
    (adapter) => {
      const seen = new Set<string>();
      return settling(adapter, (settlement, id) => {
        if (settlement.kind !== "ack" || seen.has(id)) return settlement;
        seen.add(id);
        return { kind: "retry", delayMs: 100, counted: false };
      });
    },
  ],
  [
    "what listeners give up is gone",
    ["listener-invalid", "listener-own-retries"],
    (adapter) => settling(adapter, (settlement) => (settlement.kind === "dead-letter" ? ACK : settlement)),
  ],
  [
    "retries of one listener go to all of its service",
    ["listener-own-retries"],
    ({ eventBus }) => ({
      eventBus: {
        listen: (listener, options, handle) => {
          const again = async (delivery: Parameters<DeliveryHandler>[0]) => {
            const settlement = await handle(delivery);
            if (settlement.kind === "retry" && !delivery.id.includes("#"))
              await eventBus.publish([{ ...delivery, id: `${delivery.id}#${++clients}` }]);
            return settlement;
          };
          return eventBus.listen(listener, options, again);
        },
      },
    }),
  ],
  [
    "equal listener names of two services are one",
    ["listener-apart"],
    ({ eventBus }) => ({
      eventBus: {
        listen: ({ listener }, options, handle) => eventBus.listen({ service: "all", listener }, options, handle),
      },
    }),
  ],
  [
    "replicas of a listener do not share its events",
    ["listener-apart"],
    ({ eventBus }) => ({
      eventBus: {
        listen: (listener, options, handle) =>
          eventBus.listen({ ...listener, service: `${listener.service}-${++clients}` }, options, handle),
      },
    }),
  ],
  [
    "events without a specversion are dropped",
    ["listener-plain-dictionary", "inbox-published-twice"],
    ({ eventBus }) => ({
      eventBus: {
        publish: (events) =>
          eventBus.publish(events.filter(({ body }) => new TextDecoder().decode(body).includes("specversion"))),
      },
    }),
  ],
  [
    "completions of events are forgotten",
    ["inbox-redelivered", "inbox-published-twice", "inbox-copies"],
    () => ({ inbox: { complete: async () => {} } }),
  ],
  [
    "a reservation ends with its first lease",
    ["inbox-copies"],
    ({ inbox }) => {
      const held = new Set<string>();
      return {
        inbox: {
          reserve: async (listener, id, options) => {
            const key = JSON.stringify([listener, id]);
            if (held.has(key)) return "reserved";
            const answer = await inbox.reserve(listener, id, options);
            if (answer === "reserved") held.add(key);
            return answer;
          },
        },
      };
    },
  ],
  [
    "what is released counts as completed",
    ["inbox-released"],
    ({ inbox }) => ({ inbox: { release: (listener, id) => inbox.complete(listener, id, { windowMs: 60_000 }) } }),
  ],
  [
    "publishing again makes another event",
    ["announced-once"],
    ({ eventBus }) => ({
      eventBus: {
        publish: (events) => eventBus.publish(events.map((each) => ({ ...each, id: `${each.id}#${++clients}` }))),
      },
    }),
  ],
  [
    "events about retries get lost",
    ["announced-attempts"],
    ({ eventBus }) => ({
      eventBus: { publish: (events) => eventBus.publish(events.filter(({ type }) => type !== "task.retrying")) },
    }),
  ],
];

/** For the cases about cancelling, families, replays, run streams, draining, listeners, inboxes and announcements. */
export const PART_B: readonly Break[] = [...CANCELLING, ...FAMILIES, ...REPLAYS, ...STREAMS, ...DRAINING, ...LISTENERS];
