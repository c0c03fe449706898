import { Shared } from "@intermodal/core/adapter";
import { ADAPTER_API, type AdapterContext, type AdapterFactory } from "@intermodal/core/ports";
import { MongoAdapter } from "./adapter.ts";
import { Connection } from "./connection.ts";
import { type MongoOptions, settingsOf } from "./options.ts";
import { parseUrl } from "./url.ts";

export { MongoAdapter } from "./adapter.ts";
export type { MongoOptions } from "./options.ts";

/** One client per URL, options and clock in this process. */
const connections = new Shared<Connection>();

/**
 * Task state and run streams on MongoDB, for `mongodb://` and `mongodb+srv://` URLs. The URL's path names the database, by default `intermodal`. Needs MongoDB 5.0 or
 * newer, or FerretDB 2; neither change streams nor transactions, so a single server will do.
 * @throws `CONFIG_INVALID` for options that cannot be right.
 */
export function mongo(options: MongoOptions = {}): AdapterFactory {
  const settings = settingsOf(options);
  return {
    name: "mongo",
    adapterApi: ADAPTER_API,
    schemes: ["mongodb", "mongodb+srv"],
    create(context: AdapterContext) {
      const { url, node, clock, logger } = context;
      const place = parseUrl(url);
      const { thing: connection, release } = connections.acquire(
        [settings.client ?? options, clock, url],
        () => new Connection({ place, settings, name: `intermodal ${node}`, clock, logger }),
      );
      return new MongoAdapter(connection, settings, context, async () => {
        if (release()) await connection.close();
      });
    },
  };
}

/** How the SDK makes it for a URL. */
const byUrl = mongo();
export function adapter(): AdapterFactory {
  return byUrl;
}
