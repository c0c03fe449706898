import { IntermodalError, isIntermodalError, messageOf, redact } from "../errors.ts";
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
 * @throws `PORT_MISSING` when a named adapter hasn't the port, or one is left over.
 */
export async function openCarriers(
  catalogue: AdapterCatalogue,
  urls: ResolvedUrls,
  context: Omit<AdapterContext, "url">,
  { singleProcess }: { readonly singleProcess: boolean },
): Promise<Carriers> {
  const byUrl = new Map<string, Adapter>();
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
    else if (named !== undefined) throw missing(place, `adapter "${adapter.name}" of ${redact(named.url)} has none`);
  }
  for (const place of Object.keys(PORT_OF) as Place[]) {
    if (byPlace[place] === undefined)
      throw missing(place, urls.url === undefined ? "it is not configured" : `${redact(urls.url.url)} has none`);
  }
  const state = byPlace.state?.taskStateStore;
  // State of this process alone would not know what workers elsewhere do.
  const isBlind = state?.capabilities.processLocal && byPlace.state !== byPlace.commands && !singleProcess;
  const adapters = [...byUrl.values()];
  const ports = {
    commandBus: byPlace.commands?.commandBus as Ports["commandBus"],
    eventBus: byPlace.events?.eventBus as Ports["eventBus"],
    taskStateStore: isBlind ? undefined : state,
    eventStream: byPlace.streams?.eventStream,
    // Where the tasks are that it makes: another store would be shared with others than they are.
    scheduleStore: isBlind ? undefined : byPlace.state?.scheduleStore,
    rateLimiter: adapters.find(({ rateLimiter }) => rateLimiter !== undefined)?.rateLimiter,
    inbox: adapters.find(({ inbox }) => inbox !== undefined)?.inbox,
  };
  return { ports, adapters };
}

function create(factory: AdapterFactory, { url, from }: ConfiguredUrl, context: Omit<AdapterContext, "url">): Adapter {
  try {
    return factory.create({ ...context, url });
  } catch (error) {
    if (isIntermodalError(error)) throw new IntermodalError(error.code, `${from}: ${error.message}`, { cause: error });
    const what = `adapter "${factory.name}" cannot be made for ${url}`;
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
