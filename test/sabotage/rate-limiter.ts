import { isIntermodalError, type RateLimit, type RateLimiter } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { MemoryRateLimiter } from "../../packages/core/src/memory/rate-limiter.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { override, perServer, type Sabotage } from "./sabotage.ts";

interface Surroundings {
  readonly server: MemoryServer;
  readonly adapter: MemoryAdapter;
  /** Shared by all clients of a server. */
  readonly shared: Map<string, unknown>;
}

type Acquire = RateLimiter["tryAcquire"];

type Break = readonly [
  name: string,
  breaks: readonly string[],
  change: (acquire: Acquire, surroundings: Surroundings) => Acquire,
];

/** When permits were given, by key. */
function givenOf({ shared }: Surroundings, key: string): number[] {
  const given = (shared.get(key) as number[] | undefined) ?? [];
  shared.set(key, given);
  return given;
}

/** Answers in place of what it would have rejected with. */
function insteadOf(code: "CLOSED" | "UNAVAILABLE"): (acquire: Acquire) => Acquire {
  return (acquire) => (key, limit) =>
    acquire(key, limit).catch((error: unknown) => {
      if (isIntermodalError(error, code)) return 0;
      throw error;
    });
}

const BREAKS: readonly Break[] = [
  [
    "counts by windows that stand still",
    ["every-window"],
    (acquire, surroundings) => async (key, limit) => {
      const now = surroundings.server.clock.now();
      const window = Math.floor(now / limit.perMs);
      const given = givenOf(surroundings, `${key}:${limit.perMs}:${window}`);
      if (given.length >= limit.permits) return (window + 1) * limit.perMs - now;
      given.push(now);
      await acquire(key, { ...limit, permits: Number.MAX_SAFE_INTEGER });
      return 0;
    },
  ],
  [
    "forgets what the window at hand cannot see",
    ["longer-window"],
    (acquire, surroundings) => async (key, limit) => {
      const now = surroundings.server.clock.now();
      const given = givenOf(surroundings, key);
      while (given[0] !== undefined && given[0] + limit.perMs <= now) given.shift();
      if (given.length >= limit.permits) return (given[0] ?? now) + limit.perMs - now;
      given.push(now);
      return acquire(key, { ...limit, permits: Number.MAX_SAFE_INTEGER });
    },
  ],
  [
    "looks and takes in two steps",
    ["one-permit-each"],
    (acquire, surroundings) => async (key, limit) => {
      const given = givenOf(surroundings, key);
      const isFree = given.length < limit.permits;
      const wait = await acquire(key, { ...limit, permits: Number.MAX_SAFE_INTEGER });
      if (isFree) given.push(0);
      return isFree ? wait : limit.perMs;
    },
  ],
  [
    "gives one permit too many",
    ["one-permit-each", "every-window", "sliding", "wait", "limit-at-hand"],
    (acquire) => (key, limit) => acquire(key, { ...limit, permits: limit.permits + 1 }),
  ],
  [
    "tells to ask again far too soon",
    ["wait"],
    (acquire) => async (key, limit) => Math.ceil((await acquire(key, limit)) / 10),
  ],
  [
    "counts refusals",
    ["refusals-cost-nothing"],
    (acquire) => async (key, limit) => {
      const wait = await acquire(key, limit);
      if (wait > 0) await acquire(key, { ...limit, permits: Number.MAX_SAFE_INTEGER });
      return wait;
    },
  ],
  [
    "goes by the first limit that it hears of",
    ["limit-at-hand"],
    (acquire, { shared }) =>
      (key, limit) => {
        const first = (shared.get(key) as RateLimit | undefined) ?? limit;
        shared.set(key, first);
        return acquire(key, first);
      },
  ],
  [
    "makes no difference between large and small letters",
    ["hostile-keys"],
    (acquire) => (key, limit) => acquire(key.toLowerCase(), limit),
  ],
  [
    "shares permits between namespaces",
    ["namespaces"],
    (_acquire, { server, adapter }) => {
      const everywhere = new MemoryRateLimiter(server.store, adapter.connection, "everywhere");
      return (key, limit) => everywhere.tryAcquire(key, limit);
    },
  ],
  ["gives permits after close", ["closed"], insteadOf("CLOSED")],
  ["gives permits while the store is away", ["unreachable"], insteadOf("UNAVAILABLE")],
];

/** Rate limiters that are right in everything but one promise. */
export const rateLimiterSabotages: readonly Sabotage[] = BREAKS.map(([name, caseNames, change]) => {
  const sharedBy = perServer(() => new Map<string, unknown>());
  return {
    name: `rate-limiter ${name}`,
    subject: "rateLimiter",
    breaks: caseNames.map((caseName) => `rate-limiter/${caseName}`),
    wrap: (adapter, server) => {
      const limiter = adapter.rateLimiter;
      const acquire: Acquire = (key, limit) => limiter.tryAcquire(key, limit);
      const tryAcquire = change(acquire, { server, adapter, shared: sharedBy(server) });
      return override(adapter, { rateLimiter: override<RateLimiter>(limiter, { tryAcquire }) as typeof limiter });
    },
  };
});
