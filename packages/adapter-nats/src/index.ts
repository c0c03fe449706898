import { Shared } from "@intermodal/core/adapter";
import { ADAPTER_API, type AdapterContext, type AdapterFactory } from "@intermodal/core/ports";
import { NatsAdapter } from "./adapter.ts";
import { Connection } from "./connection.ts";
import { type NatsOptions, settingsOf } from "./options.ts";
import { parseUrl } from "./url.ts";

export { NatsAdapter } from "./adapter.ts";
export type { NatsOptions, StreamLimits } from "./options.ts";

/** One connection per URL, options and clock in this process. */
const connections = new Shared<Connection>();

/**
 * Commands and events over NATS JetStream, for `nats://` and `tls://` URLs; several servers of a cluster are separated by commas. Needs nats-server 2.10 or newer
 * with JetStream.
 * @throws `CONFIG_INVALID` for options that cannot be right.
 */
export function nats(options: NatsOptions = {}): AdapterFactory {
  const settings = settingsOf(options);
  return {
    name: "nats",
    adapterApi: ADAPTER_API,
    schemes: ["nats", "tls"],
    create(context: AdapterContext) {
      const { url, node, clock, logger } = context;
      const servers = parseUrl(url);
      const { thing: connection, release } = connections.acquire(
        [settings.client ?? options, clock, url],
        () => new Connection({ servers, settings, name: `intermodal ${node}`, clock, logger }),
      );
      return new NatsAdapter(connection, settings, context, async () => {
        if (release()) await connection.close();
      });
    },
  };
}

/** How the SDK makes it for a URL. */
const byUrl = nats();
export function adapter(): AdapterFactory {
  return byUrl;
}
