import { type Inbox, isIntermodalError } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { MemoryInbox } from "../../packages/core/src/memory/inbox.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { override, perServer, type Sabotage } from "./sabotage.ts";

interface Surroundings {
  readonly server: MemoryServer;
  readonly adapter: MemoryAdapter;
  /** Shared by all clients of a server. */
  readonly shared: Map<string, unknown>;
}

type Break = readonly [
  name: string,
  breaks: readonly string[],
  change: (inbox: Inbox, surroundings: Surroundings) => Partial<Inbox>,
];

const AGES_MS = 1e9;

/** Answers in place of what it would have rejected with. */
function insteadOf(code: "CLOSED" | "UNAVAILABLE"): (inbox: Inbox) => Partial<Inbox> {
  const instead =
    <Answer>(answer: Answer) =>
    (error: unknown): Answer => {
      if (isIntermodalError(error, code)) return answer;
      throw error;
    };
  return (inbox) => ({
    reserve: (...args) => inbox.reserve(...args).catch(instead("reserved" as const)),
    complete: (...args) => inbox.complete(...args).catch(instead(undefined)),
    release: (...args) => inbox.release(...args).catch(instead(undefined)),
  });
}

const BREAKS: readonly Break[] = [
  [
    "looks and reserves in two steps",
    ["one-node-each"],
    (inbox, { shared }) => ({
      reserve: async (listener, messageId, options) => {
        const key = JSON.stringify([listener, messageId]);
        const wasTaken = shared.has(key);
        const answer = await inbox.reserve(listener, messageId, options);
        shared.set(key, true);
        return answer === "busy" && !wasTaken ? "reserved" : answer;
      },
    }),
  ],
  [
    "refuses the holder its own message",
    ["reserved-again"],
    (inbox, { shared }) => ({
      reserve: (listener, messageId, options) => {
        const turn = ((shared.get("turn") as number | undefined) ?? 0) + 1;
        shared.set("turn", turn);
        return inbox.reserve(listener, messageId, { ...options, node: `${options.node} ${turn}` });
      },
    }),
  ],
  [
    "does not prolong a lease that is taken again",
    ["reserved-again"],
    (inbox, { shared }) => ({
      reserve: async (listener, messageId, options) => {
        const key = JSON.stringify([listener, messageId, options.node]);
        const leaseMs = (shared.get(key) as number | undefined) ?? options.leaseMs;
        shared.set(key, leaseMs);
        return inbox.reserve(listener, messageId, { ...options, leaseMs });
      },
    }),
  ],
  [
    "never ends a lease",
    ["lease-ends"],
    (inbox) => ({ reserve: (listener, id, options) => inbox.reserve(listener, id, { ...options, leaseMs: AGES_MS }) }),
  ],
  [
    "ends every lease at once",
    ["lease-ends", "one-node-each", "completed-survives", "closed"],
    (inbox) => ({ reserve: (listener, id, options) => inbox.reserve(listener, id, { ...options, leaseMs: 0 }) }),
  ],
  ["keeps what was given back", ["released"], () => ({ release: async () => {} })],
  [
    "forgets a completion when it is given back",
    ["completed"],
    (inbox) => ({
      release: async (listener, messageId) => {
        await inbox.complete(listener, messageId, { windowMs: 0 });
      },
    }),
  ],
  [
    "remembers completions for ever",
    ["window-ends"],
    (inbox) => ({ complete: (listener, id) => inbox.complete(listener, id, { windowMs: AGES_MS }) }),
  ],
  [
    "forgets completions at once",
    ["completed", "window-ends", "completed-survives"],
    (inbox) => ({ complete: (listener, id) => inbox.complete(listener, id, { windowMs: 0 }) }),
  ],
  [
    "forgets everything with a connection",
    ["completed-survives"],
    (inbox, { adapter }) => {
      let lost = 0;
      adapter.connection.onLost(() => lost++);
      return {
        reserve: (listener, messageId, options) => inbox.reserve(`${listener}${lost || ""}`, messageId, options),
      };
    },
  ],
  [
    "makes no difference between large and small letters",
    ["hostile-ids"],
    (inbox) => ({ reserve: (listener, id, options) => inbox.reserve(listener, id.toLowerCase(), options) }),
  ],
  [
    "joins listener and id with a colon",
    ["hostile-ids"],
    (inbox) => ({
      reserve: (listener, id, options) => inbox.reserve("", `${listener}:${id}`, options),
      complete: (listener, id, options) => inbox.complete("", `${listener}:${id}`, options),
      release: (listener, id, options) => inbox.release("", `${listener}:${id}`, options),
    }),
  ],
  [
    "mixes up namespaces",
    ["namespaces"],
    (_inbox, { server, adapter }) => {
      const everywhere = new MemoryInbox(server.store, adapter.connection, "everywhere");
      return {
        reserve: (...args) => everywhere.reserve(...args),
        complete: (...args) => everywhere.complete(...args),
        release: (...args) => everywhere.release(...args),
      };
    },
  ],
  ["answers after close", ["closed"], insteadOf("CLOSED")],
  ["answers while the store is away", ["unreachable"], insteadOf("UNAVAILABLE")],
];

/** Inboxes that are right in everything but one promise. */
export const inboxSabotages: readonly Sabotage[] = BREAKS.map(([name, caseNames, change]) => {
  const sharedBy = perServer(() => new Map<string, unknown>());
  return {
    name: `inbox ${name}`,
    subject: "inbox",
    breaks: caseNames.map((caseName) => `inbox/${caseName}`),
    wrap: (adapter, server) => {
      const { inbox } = adapter;
      const changed = override<Inbox>(inbox, change(inbox, { server, adapter, shared: sharedBy(server) }));
      return override(adapter, { inbox: changed as typeof inbox });
    },
  };
});
