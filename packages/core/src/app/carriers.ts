import { IntermodalError, isIntermodalError, messageOf } from "../errors.ts";
import type { Adapter, AdapterContext, AdapterFactory } from "../ports/adapter.ts";
import type { AdapterCatalogue, ConfiguredUrl, Place, ResolvedUrls } from "./config.ts";
import type { Ports } from "./runtime.ts";

/** The adapters an app has opened, one for each distinct URL, and the ports taken from them. */
export interface Carriers {
  readonly ports: Ports;
  readonly adapters: readonly Adapter[];
}

const PORT_OF: Record<Place, "commandBus" | "eventBus" | "taskStateStore" | "eventStream"> = {
  commands: "commandBus",
  events: "eventBus",
  state: "taskStateStore",
  streams: "eventStream",
};

/**
 * Opens what the URLs ask for. Does no I/O beyond loading adapters.
 * @throws `PORT_MISSING` when a named adapter hasn't the port, or one is left over; nothing stays open then.
 */
export async function openCarriers(
  catalogue: AdapterCatalogue,
  urls: ResolvedUrls,
  context: Omit<AdapterContext, "url">,
  options: { readonly singleProcess: boolean },
): Promise<Carriers> {
  const byUrl = new Map<string, Adapter>();
  try {
    const byPlace = await openPlaces(byUrl, catalogue, urls, context);
    return { ports: portsOf(byPlace, options.singleProcess), adapters: [...byUrl.values()] };
  } catch (error) {
    await Promise.allSettled([...byUrl.values()].map((adapter) => adapter.close()));
    throw error;
  }
}

type Adapters = Readonly<Record<Place, Adapter>>;

async function openPlaces(
  byUrl: Map<string, Adapter>,
  catalogue: AdapterCatalogue,
  urls: ResolvedUrls,
  context: Omit<AdapterContext, "url">,
): Promise<Adapters> {
  const open = async (configured: ConfiguredUrl): Promise<Adapter> => {
    const { url, from } = configured;
    const known = byUrl.get(url);
    if (known !== undefined) return known;
    const adapter = create(await catalogue.load(url, from), configured, context);
    byUrl.set(url, adapter);
    return adapter;
  };
  const byPlace: Partial<Record<Place, Adapter>> = {};
  for (const place of Object.keys(PORT_OF) as Place[]) {
    const named = urls[place];
    const configured = named ?? urls.url;
    if (configured === undefined) continue;
    const adapter = await open(configured);
    if (adapter[PORT_OF[place]] !== undefined) byPlace[place] = adapter;
    else if (named !== undefined) throw missing(place, `adapter "${adapter.name}" of ${named.from} has none`);
  }
  for (const place of Object.keys(PORT_OF) as Place[]) {
    if (byPlace[place] !== undefined) continue;
    const { url } = urls;
    throw missing(place, url === undefined ? "it is not configured" : `the adapter of ${url.from} has none`);
  }
  return byPlace as Adapters;
}

function portsOf(adapters: Adapters, singleProcess: boolean): Ports {
  const { commands, events, state, streams } = adapters;
  // What this process alone has would not know what workers and listeners elsewhere do.
  const serves = (adapter: Adapter, bus: Adapter) => !isProcessLocal(adapter) || adapter === bus || singleProcess;
  const isBlind = !serves(state, commands);
  // The store's before all others: what shares the tasks shares their limits, and what was handled.
  const having = <Port extends "rateLimiter" | "inbox">(port: Port, bus: Adapter) =>
    [state, streams, events, commands].find((adapter) => adapter[port] !== undefined && serves(adapter, bus))?.[port];
  return {
    commandBus: commands.commandBus as Ports["commandBus"],
    eventBus: events.eventBus as Ports["eventBus"],
    taskStateStore: isBlind ? undefined : state.taskStateStore,
    eventStream: streams.eventStream,
    // Where the tasks are that it makes: another store would be shared with others than they are.
    scheduleStore: isBlind ? undefined : state.scheduleStore,
    rateLimiter: having("rateLimiter", commands),
    inbox: having("inbox", events),
  };
}

function isProcessLocal(adapter: Adapter): boolean {
  return adapter.taskStateStore?.capabilities.processLocal ?? false;
}

function create(factory: AdapterFactory, { url, from }: ConfiguredUrl, context: Omit<AdapterContext, "url">): Adapter {
  try {
    return factory.create({ ...context, url });
  } catch (error) {
    if (isIntermodalError(error)) throw new IntermodalError(error.code, `${from}: ${error.message}`, { cause: error });
    const what = `adapter "${factory.name}" cannot be made for ${from}`;
    throw new IntermodalError("CONFIG_INVALID", `${what}: ${messageOf(error)}`, { cause: error });
  }
}

function missing(place: Place, why: string): IntermodalError {
  const variable = `INTERMODAL_${place.toUpperCase()}`;
  return new IntermodalError(
    "PORT_MISSING",
    `no ${PORT_OF[place]} for ${place}: ${why}; set ${variable} (or \`${place}\` in createApp), if need be to memory:`,
  );
}
