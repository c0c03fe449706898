import { IntermodalError } from "../errors.ts";
import { memory } from "../memory/index.ts";
import { ADAPTER_API, type AdapterFactory } from "../ports/adapter.ts";

/** The ports that a URL is given for. */
export type Place = "commands" | "events" | "state" | "streams";

/** The environment variable of each; `url` is for all that are not named. */
const VARIABLES: Readonly<Record<Place | "url", string>> = {
  url: "INTERMODAL_URL",
  commands: "INTERMODAL_COMMANDS",
  events: "INTERMODAL_EVENTS",
  state: "INTERMODAL_STATE",
  streams: "INTERMODAL_STREAMS",
};

/** Where the ports are. Every one that is not given here is taken from the environment: INTERMODAL_URL, INTERMODAL_COMMANDS, _EVENTS, _STATE, _STREAMS. */
export interface CarrierUrls {
  /** Fills every port that its adapter has and that is not named apart. */
  readonly url?: string | undefined;
  readonly commands?: string | undefined;
  readonly events?: string | undefined;
  readonly state?: string | undefined;
  readonly streams?: string | undefined;
}

/** A URL, and what it was set by, which errors name: the URL itself may hold a password where nobody would look for it. */
export interface ConfiguredUrl {
  readonly url: string;
  readonly from: string;
}

export type ResolvedUrls = { readonly [Name in Place | "url"]: ConfiguredUrl | undefined };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What was asked for, in code before the environment.
 * @throws `CONFIG_INVALID` when nothing is configured in production.
 */
export function resolveUrls(options: CarrierUrls, environment: Environment): ResolvedUrls {
  const configured = (name: Place | "url"): ConfiguredUrl | undefined => {
    const [inCode, variable] = [options[name], VARIABLES[name]];
    if (inCode !== undefined) return { url: inCode, from: `\`${name}\` in createApp` };
    const url = environment[variable];
    return url ? { url, from: variable } : undefined;
  };
  const named = {
    commands: configured("commands"),
    events: configured("events"),
    state: configured("state"),
    streams: configured("streams"),
  };
  const url = configured("url");
  if (url !== undefined || Object.values(named).some((each) => each !== undefined)) return { url, ...named };
  if (environment.NODE_ENV === "production") {
    throw new IntermodalError(
      "CONFIG_INVALID",
      "nothing is configured: set INTERMODAL_URL (or `url` in createApp) to the broker or store to use; in production memory must be asked for by name (`memory:`)",
    );
  }
  return { url: { url: "memory:", from: "the default" }, ...named };
}

/** @throws `CONFIG_INVALID`, which does not quote it: without a scheme nobody can tell what in it is a password. */
function schemeOf(url: string, from: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1];
  if (scheme !== undefined) return scheme.toLowerCase();
  throw new IntermodalError(
    "CONFIG_INVALID",
    `${from} is not a URL: it must begin with a scheme, such as "nats://localhost:4222"`,
  );
}

/** Adapters of this project by scheme, loaded only when they are asked for. Literal imports, so that a bundler sees them. */
const KNOWN: readonly {
  readonly package: string;
  readonly schemes: readonly string[];
  readonly load: () => Promise<unknown>;
}[] = [
  { package: "@intermodal/adapter-nats", schemes: ["nats", "tls"], load: () => import("@intermodal/adapter-nats") },
  {
    package: "@intermodal/adapter-rabbit",
    schemes: ["amqp", "amqps"],
    load: () => import("@intermodal/adapter-rabbit"),
  },
  { package: "@intermodal/store-redis", schemes: ["redis", "rediss"], load: () => import("@intermodal/store-redis") },
  {
    package: "@intermodal/store-mongo",
    schemes: ["mongodb", "mongodb+srv"],
    load: () => import("@intermodal/store-mongo"),
  },
];

/** Finds the adapter for a URL's scheme: registered ones first, then memory, then this project's own. */
export class AdapterCatalogue {
  readonly #factories = new Map<string, AdapterFactory>();

  /** @throws `ADAPTER_INCOMPATIBLE`. */
  constructor(registered: readonly AdapterFactory[]) {
    for (const factory of [memory(), ...registered]) this.#add(factory);
  }

  /** @throws `CONFIG_INVALID` for what is no URL; `UNKNOWN_SCHEME` for a scheme that nobody could ever load. */
  check(url: string, from = "what is configured"): void {
    const scheme = schemeOf(url, from);
    if (this.#factories.has(scheme) || KNOWN.some(({ schemes }) => schemes.includes(scheme))) return;
    const known = [...new Set([...this.#factories.keys(), ...KNOWN.flatMap(({ schemes }) => schemes)])].join(", ");
    throw new IntermodalError(
      "UNKNOWN_SCHEME",
      `no adapter for the scheme "${scheme}:" of ${from}; known schemes: ${known}. Others are registered with createApp({ adapters: [...] })`,
    );
  }

  /** @throws `ADAPTER_NOT_INSTALLED`, `ADAPTER_INCOMPATIBLE`, and as {@link check}. */
  async load(url: string, from = "what is configured"): Promise<AdapterFactory> {
    this.check(url, from);
    const scheme = schemeOf(url, from);
    const registered = this.#factories.get(scheme);
    if (registered !== undefined) return registered;
    const known = KNOWN.find(({ schemes }) => schemes.includes(scheme)) as (typeof KNOWN)[number];
    let loaded: unknown;
    try {
      loaded = await known.load();
    } catch (error) {
      throw new IntermodalError(
        "ADAPTER_NOT_INSTALLED",
        `"${scheme}:" needs ${known.package} and its driver: npm install ${known.package}`,
        { cause: error },
      );
    }
    const { adapter } = loaded as { adapter?: () => AdapterFactory };
    if (typeof adapter !== "function") {
      throw new IntermodalError(
        "ADAPTER_INCOMPATIBLE",
        `the installed ${known.package} exports no adapter; install the version that goes with this @intermodal/core`,
      );
    }
    return this.#add(adapter());
  }

  #add(factory: AdapterFactory): AdapterFactory {
    if (factory.adapterApi !== ADAPTER_API) {
      throw new IntermodalError(
        "ADAPTER_INCOMPATIBLE",
        `adapter "${factory.name}" was made for adapter API ${factory.adapterApi}, this @intermodal/core has ${ADAPTER_API}; install matching versions of both`,
      );
    }
    for (const scheme of factory.schemes) this.#factories.set(scheme.toLowerCase(), factory);
    return factory;
  }
}
