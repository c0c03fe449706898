import { IntermodalError } from "../errors.ts";
import { ADAPTER_API, type AdapterFactory } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import { checkName } from "../wire/names.ts";
import { MemoryAdapter } from "./adapter.ts";
import type { MemoryLimits } from "./limits.ts";
import { MemoryServer } from "./server.ts";

export { MemoryAdapter } from "./adapter.ts";
export { DEFAULT_MEMORY_LIMITS, type MemoryLimits } from "./limits.ts";
export { MemoryServer } from "./server.ts";

/** How `memory:` is made. */
export interface MemoryOptions {
  /**
   * The server to connect to.
   * @default one of the factory's own for `memory:`, one that this process shares for `memory:name`
   */
  readonly server?: MemoryServer | undefined;
  /** For servers made here. */
  readonly limits?: Partial<MemoryLimits> | undefined;
}

/** Servers that are shared by name, one per clock: time can't be shared between clocks. */
const shared = new Map<string, WeakMap<Clock, MemoryServer>>();

/**
 * Everything embedded: every port over an in-process server. Nothing survives the process.
 *
 * `memory:` is a server of this factory's own; `memory:name` is shared by all that name it in this process.
 */
export function memory(options: MemoryOptions = {}): AdapterFactory {
  const own = new WeakMap<Clock, MemoryServer>();
  return {
    name: "memory",
    adapterApi: ADAPTER_API,
    schemes: ["memory"],
    create(context) {
      const name = serverName(context.url);
      return new MemoryAdapter(options.server ?? find(serversOf(name) ?? own, context.clock, options.limits), context);
    },
  };
}

/** @throws `CONFIG_INVALID`. */
function serverName(url: string): string | undefined {
  const name = url.replace(/^memory:(\/\/)?/, "");
  if (name === "") return undefined;
  try {
    return checkName("the name of a memory server", name);
  } catch (cause) {
    throw new IntermodalError("CONFIG_INVALID", `${url} is not a memory URL: use "memory:" or "memory:name"`, {
      cause,
    });
  }
}

function serversOf(name: string | undefined): WeakMap<Clock, MemoryServer> | undefined {
  if (name === undefined) return undefined;
  let servers = shared.get(name);
  if (servers === undefined) {
    servers = new WeakMap();
    shared.set(name, servers);
  }
  return servers;
}

function find(
  servers: WeakMap<Clock, MemoryServer>,
  clock: Clock,
  limits: Partial<MemoryLimits> | undefined,
): MemoryServer {
  let server = servers.get(clock);
  if (server === undefined) {
    server = new MemoryServer(clock, limits);
    servers.set(clock, server);
  }
  return server;
}
