import { Shared } from "@intermodal/core/adapter";
import { ADAPTER_API, type AdapterContext, type AdapterFactory } from "@intermodal/core/ports";
import { RedisAdapter } from "./adapter.ts";
import { Connection } from "./connection.ts";
import { type RedisOptions, settingsOf } from "./options.ts";
import { parseUrl } from "./url.ts";

export { RedisAdapter } from "./adapter.ts";
export type { RedisOptions } from "./options.ts";

/** One connection per URL, options and clock in this process. */
const connections = new Shared<Connection>();

/**
 * Task state and run streams on Redis and Valkey, for `redis://` and `rediss://` URLs; several nodes of a Redis Cluster are separated by commas. Needs Redis 6.2 or
 * newer, or any Valkey.
 * @throws `CONFIG_INVALID` for options that cannot be right.
 */
export function redis(options: RedisOptions = {}): AdapterFactory {
  const settings = settingsOf(options);
  return {
    name: "redis",
    adapterApi: ADAPTER_API,
    schemes: ["redis", "rediss"],
    create(context: AdapterContext) {
      const { url, node, clock, logger } = context;
      const servers = parseUrl(url);
      const { thing: connection, release } = connections.acquire(
        [settings.client ?? options, clock, url],
        () => new Connection({ servers, settings, name: nameOf(node), clock, logger }),
      );
      return new RedisAdapter(connection, settings, context, async () => {
        if (release()) await connection.close();
      });
    },
  };
}

/** How the SDK makes it for a URL. */
const byUrl = redis();
export function adapter(): AdapterFactory {
  return byUrl;
}

/** As which servers list a connection: they take no spaces. */
function nameOf(node: string): string {
  return `intermodal:${node.replace(/[^!-~]/g, "_")}`;
}
