import { IntermodalError } from "@intermodal/core/ports";

/** What a URL says about a connection. */
export interface Servers {
  /** `host:port` each. */
  readonly servers: string[];
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  readonly token?: string | undefined;
  readonly tls: boolean;
}

/**
 * Reads `nats://user:password@host:4222`, `nats://token@host`, `tls://host`, and several servers separated by commas; the credentials are the first's.
 * @throws `CONFIG_INVALID`.
 */
export function parseUrl(url: string): Servers {
  const scheme = /^(nats|tls):(?:\/\/|$)/.exec(url);
  const rest = scheme === null ? "" : url.slice(scheme[0].length);
  const parsed = rest.split(",").map((server) => parseServer(url, server));
  const [first] = parsed;
  if (scheme === null || first === undefined) throw invalid();
  const { username, password } = first;
  const credentials = password === "" ? { token: username || undefined } : { user: username, pass: password };
  return { servers: parsed.map(({ host }) => host), ...credentials, tls: scheme[1] === "tls" };
}

function parseServer(whole: string, server: string): { host: string; username: string; password: string } {
  // Only the scheme http lets URL read host, port and credentials; a port of 80 would vanish with it.
  const bare = server.replace(/^(nats|tls):\/\//, "").replace(/\/$/, "");
  if (bare === "" && !whole.includes(",")) return { host: "127.0.0.1:4222", username: "", password: "" };
  let parsed: URL;
  let [username, password] = ["", ""];
  try {
    parsed = new URL(`ws://${bare}`);
    username = decodeURIComponent(parsed.username);
    password = decodeURIComponent(parsed.password);
  } catch {
    throw invalid();
  }
  if (parsed.pathname !== "/" || parsed.search !== "" || parsed.hash !== "" || parsed.hostname === "") throw invalid();
  const port = /:80$/.test(bare) ? "80" : parsed.port || "4222";
  return { host: `${parsed.hostname}:${port}`, username, password };
}

/** Names no URL, since what can't be read can't be cleared of credentials either. */
function invalid(): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    'a NATS URL reads "nats://host:4222", "tls://user:password@host:4222" or "nats://host-1:4222,host-2:4222", with nothing after the port',
  );
}
