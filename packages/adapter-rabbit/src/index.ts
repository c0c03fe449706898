import { Shared } from "@intermodal/core/adapter";
import { ADAPTER_API, type AdapterContext, type AdapterFactory, IntermodalError, redact } from "@intermodal/core/ports";
import { type ChannelModel, connect, type SocketOptions } from "amqplib";
import { RabbitAdapter } from "./adapter.ts";
import { Client, type Connections } from "./client.ts";
import { Connection } from "./connection.ts";
import { Declared } from "./declared.ts";
import { HEADER_ROOM } from "./headers.ts";
import { Mutex } from "./mutex.ts";

export { RabbitAdapter } from "./adapter.ts";

const MIB = 1_048_576;
const MAX_HEARTBEAT_MS = 5_000;

/** How RabbitMQ is used. */
export interface RabbitOptions {
  /**
   * Passed to amqplib when it connects: TLS and certificates (`ca`, `cert`, `key`, …), `credentials` (such as amqplib's `credentials.external()`),
   * `clientProperties` and every other socket option.
   */
  readonly connection?: SocketOptions | undefined;
  /** A connection that the application has, to publish over. It is used and not closed; once it is gone, this adapter can't publish any more. */
  readonly publishConnection?: ChannelModel | undefined;
  /** A connection that the application has, to consume over; as above. */
  readonly consumeConnection?: ChannelModel | undefined;
  /**
   * How often either side shows that it lives; a holder that stops is found out after two to three of them. Whole seconds, at most 5,000.
   * @default 5,000, or what the URL's `heartbeat` says
   */
  readonly heartbeatMs?: number | undefined;
  /**
   * How long a send may wait for a connection and the confirmation.
   * @default 10,000
   */
  readonly sendTimeoutMs?: number | undefined;
  /**
   * How long a connection may take to open.
   * @default 10,000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The longest body. RabbitMQ's own limit is its `max_message_size`, which by default is 16 MiB in version 4 and more before.
   * @default 16 MiB - 64 KiB
   */
  readonly maxPayloadBytes?: number | undefined;
}

/** One set per URL, options and clock in this process: time can't be shared between clocks. */
const shared = new Shared<Connections>();
const DEFAULTS: RabbitOptions = {};

/**
 * Commands and events over RabbitMQ 3.10 to 4.3, for URLs of the schemes `amqp` and `amqps`. It opens two connections per URL and process, however
 * many adapters use it: an alarm blocks those that publish, and must not keep workers from acknowledging.
 */
export function rabbit(options: RabbitOptions = DEFAULTS): AdapterFactory {
  return {
    name: "rabbit",
    adapterApi: ADAPTER_API,
    schemes: ["amqp", "amqps"],
    create(context) {
      const { url, heartbeatMs } = checkUrl(context.url, options.heartbeatMs);
      const { sendTimeoutMs = 10_000, maxPayloadBytes = 16 * MIB - HEADER_ROOM } = options;
      const { thing, release } = shared.acquire([options, context.clock, context.url], () =>
        connections(url, options, context),
      );
      const client = new Client({
        ...context,
        connections: thing,
        sendTimeoutMs,
        maxPayloadBytes,
        leaseMs: 3 * heartbeatMs,
      });
      return new RabbitAdapter(client, async () => {
        if (release()) await Promise.all([thing.publishing.close(), thing.consuming.close()]);
      });
    },
  };
}

/** What `createApp` calls for a URL of this adapter's schemes. */
export function adapter(): AdapterFactory {
  return rabbit();
}

function connections(url: URL, options: RabbitOptions, { node, clock, logger }: AdapterContext): Connections {
  const { connection = {}, connectTimeoutMs = 10_000 } = options;
  const make = (role: string, given: ChannelModel | undefined): Connection => {
    const open = (): Promise<ChannelModel> =>
      connect(url.href, {
        noDelay: true,
        keepAlive: true,
        timeout: connectTimeoutMs,
        ...connection,
        clientProperties: { connection_name: `${node} (${role})`, ...connection.clientProperties },
      });
    const server = `RabbitMQ at ${redact(`${url.protocol}//${url.host}${url.pathname}`)} (${role})`;
    return new Connection({
      server,
      open: given === undefined ? open : () => whileOpen(given),
      own: given === undefined,
      clock,
      logger,
    });
  };
  const publishing = make("publishing", options.publishConnection);
  const consuming = make("consuming", options.consumeConnection);
  const declared = new Declared(clock);
  for (const each of [publishing, consuming]) each.listen({ lost: () => declared.clear() });
  return { publishing, consuming, declared, reading: new Mutex() };
}

/** Those of the application that are closed: they never come back. */
const closedModels = new WeakSet<ChannelModel>();
const watchedModels = new WeakSet<ChannelModel>();

async function whileOpen(model: ChannelModel): Promise<ChannelModel> {
  if (!watchedModels.has(model)) {
    watchedModels.add(model);
    model.once("close", () => closedModels.add(model));
  }
  if (!closedModels.has(model)) return model;
  throw new IntermodalError(
    "UNAVAILABLE",
    "the connection that the application gave to the adapter is closed: restart, or let the adapter make its own, which comes back by itself",
  );
}

/** @throws `CONFIG_INVALID`. */
function checkUrl(text: string, wishedMs: number | undefined): { readonly url: URL; readonly heartbeatMs: number } {
  const url = readable(text);
  const inUrl = url.searchParams.get("heartbeat");
  const heartbeatMs = wishedMs ?? (inUrl === null ? MAX_HEARTBEAT_MS : Number(inUrl) * 1_000);
  if (!(heartbeatMs >= 1_000 && heartbeatMs <= MAX_HEARTBEAT_MS && heartbeatMs % 1_000 === 0)) {
    throw new IntermodalError(
      "CONFIG_INVALID",
      `a heartbeat of ${heartbeatMs} ms cannot be: use whole seconds, from 1,000 to ${MAX_HEARTBEAT_MS} ms, so that a dead worker is noticed within 15 s`,
    );
  }
  url.searchParams.set("heartbeat", String(heartbeatMs / 1_000));
  return { url, heartbeatMs };
}

/** @throws `CONFIG_INVALID`, which does not quote it: in what can't be read nobody can tell what is a password. */
function readable(text: string): URL {
  try {
    const url = new URL(text);
    for (const part of [url.username, url.password]) decodeURIComponent(part);
    if (url.hostname !== "") return url;
  } catch {
    // As below: what is thrown quotes it.
  }
  throw new IntermodalError(
    "CONFIG_INVALID",
    "the URL for RabbitMQ can't be read: use amqp://user:password@host:5672/vhost, with the special characters of a password written as %XX",
  );
}
