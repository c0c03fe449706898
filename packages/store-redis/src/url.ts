import { IntermodalError } from "@intermodal/core/ports";

/** One server, or one node of a cluster. */
export interface Seed {
  readonly host: string;
  readonly port: number;
}

/** What a URL says about a connection. */
export interface Servers {
  /** Several are nodes of one cluster. */
  readonly seeds: readonly Seed[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
  readonly tls: boolean;
}

/**
 * Reads `redis://user:password@host:6379/0`, `redis://:password@host`, `rediss://host`, and several nodes of a cluster separated by commas; the
 * credentials are the first's.
 * @throws `CONFIG_INVALID`.
 */
export function parseUrl(url: string): Servers {
  const scheme = /^(rediss?):(?:\/\/|$)/.exec(url);
  if (scheme === null) throw invalid();
  const rest = url.slice(scheme[0].length);
  const slash = rest.search(/[/?#]/);
  const [hosts, path] = slash === -1 ? [rest, ""] : [rest.slice(0, slash), rest.slice(slash)];
  const database = /^(?:\/(\d{1,9})?)?$/.exec(path);
  if (database === null) throw invalid();
  const parsed = hosts.split(",").map((host) => parseHost(host, hosts));
  const [{ username, password }] = parsed as [ParsedHost];
  return {
    seeds: parsed.map(({ host, port }) => ({ host, port })),
    ...(username !== "" && { username }),
    ...(password !== "" && { password }),
    db: Number(database[1] ?? 0),
    tls: scheme[1] === "rediss",
  };
}

interface ParsedHost extends Seed {
  readonly username: string;
  readonly password: string;
}

function parseHost(text: string, whole: string): ParsedHost {
  if (text === "" && whole === "") return { host: "127.0.0.1", port: 6379, username: "", password: "" };
  try {
    // Only a scheme that URL knows lets it read host, port and credentials; its own port would vanish with it.
    const { hostname, port, username, password, pathname } = new URL(`ws://${text}`);
    const ending = /:(\d+)$/.exec(text)?.[1];
    if (hostname === "" || pathname !== "/" || text.endsWith(":")) throw invalid();
    return {
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (ending === "80" ? 80 : 6379)),
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  } catch {
    throw invalid();
  }
}

/** Names no URL, since what can't be read can't be cleared of credentials either. */
function invalid(): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    'a Redis URL reads "redis://host:6379", "rediss://user:password@host:6379/0" or "redis://node-1:6379,node-2:6379" for the nodes of a cluster',
  );
}
