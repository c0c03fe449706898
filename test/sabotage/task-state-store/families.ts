import { isTerminal } from "@intermodal/core/ports";
import type { Break } from "./store.ts";

/** Broken promises about sub-tasks, cancelling and replays. */
export const FAMILIES: readonly Break[] = [
  [
    "reserves a key as often as it is asked to",
    ["child-keys", "child-keys-concurrent", "child-keys-batch", "hostile-keys"],
    (store) => ({
      reserve: async (reservations) =>
        (await store.reserve(reservations)).map((outcome) =>
          outcome.kind === "existing" ? { kind: "reserved" } : outcome,
        ),
    }),
  ],
  [
    "loses what its sub-tasks tell a parent",
    [
      "children-close",
      "children-early",
      "children-close-once",
      "attempts-step",
      "cancel-parent",
      "reopen-child",
      "lost-family",
      "hostile-keys",
    ],
    (store) => ({ childEnded: (ends) => store.get(ends.map(({ parentId }) => parentId)) }),
  ],
  [
    "believes anybody who says to be a sub-task",
    ["children-strangers", "reopen-child"],
    (store) => ({
      childEnded: async (ends) => {
        const parents = await store.get(ends.map(({ parentId }) => parentId));
        return store.childEnded(
          ends.map((end, at) => {
            const known = parents[at]?.children[end.key];
            return known === undefined ? end : { ...end, childId: known.id, series: known.series };
          }),
        );
      },
    }),
  ],
  [
    "writes to a closed parent whenever it is told",
    ["children-close-once"],
    (store, { server }) => ({
      childEnded: async (ends) => {
        const parents = await store.childEnded(ends);
        for (const parent of parents) {
          if (parent !== undefined && isTerminal(parent.status)) {
            await store.retain(parent.rootId, server.clock.now() + 3_600_000 + parent.version);
          }
        }
        return parents;
      },
    }),
  ],
  [
    "closes a parent while it runs",
    ["children-early"],
    (store) => ({
      childEnded: async (ends) =>
        (await store.childEnded(ends)).map((parent) => parent && { ...parent, status: "COMPLETED" }),
    }),
  ],
  [
    "forgets cancel requests",
    ["cancel-renew", "cancel-claim", "cancel-sweep", "cancel-parent", "lost-family", "version"],
    (store) => ({ requestCancel: (ids) => store.get(ids) }),
  ],
  [
    "opens what has ended when it is asked to cancel it",
    ["terminal", "cancel-late"],
    (store) => ({
      requestCancel: async (ids) => {
        for (const record of await store.get(ids)) {
          if (record !== undefined && isTerminal(record.status)) {
            await store.reopen({ id: record.id, series: record.series, input: record.input });
          }
        }
        return store.requestCancel(ids);
      },
    }),
  ],
  [
    "reopens nothing",
    ["reopen", "reopen-refused", "reopen-input", "reopen-once", "lost-family", "expiry-lifted"],
    () => ({ reopen: async () => undefined }),
  ],
  [
    "reopens what is in any series and owes duties",
    ["reopen-refused"],
    (store) => ({
      reopen: async (ask) => {
        const [record] = await store.get([ask.id]);
        if (record === undefined) return undefined;
        await store.dutiesDone([{ id: ask.id, series: record.series, duties: record.duties }]);
        return store.reopen({ ...ask, series: record.series });
      },
    }),
  ],
  [
    "tells everybody who reopens a task that they did",
    ["reopen", "reopen-once", "reopen-refused"],
    (store) => ({ reopen: async (ask) => (await store.reopen(ask)) ?? (await store.get([ask.id]))[0] }),
  ],
  [
    "keeps the old input",
    ["reopen-input"],
    (store) => ({ reopen: (ask) => store.reopen({ ...ask, input: undefined }) }),
  ],
  [
    "opens no parent for a sub-task",
    ["reopen-child", "reopen-child-refused", "lost-family", "version"],
    () => ({ reopenChild: async () => undefined }),
  ],
];
