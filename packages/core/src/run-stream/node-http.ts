import type { IncomingMessage, ServerResponse } from "node:http";

/** How a handler is served. */
export interface NodeHandlerOptions {
  /**
   * Told what a handler rejected with, or its body broke off with.
   * @default nobody is told: the handlers of this package never reject
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Lets a `Request → Response` function serve a `node:http` server (or Express, which hands over the same objects, also below the path that a router is mounted at). The answer's body is streamed at
 * the client's pace; `request.signal` aborts when the client goes. A handler that rejects answers 500 without details.
 */
export function toNodeHandler(
  handler: (request: Request) => Promise<Response>,
  options: NodeHandlerOptions = {},
): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => void serve(handler, options, req, res);
}

async function serve(
  handler: (request: Request) => Promise<Response>,
  options: NodeHandlerOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  res.on("close", () => gone.abort());
  // A connection that breaks while it is written to is a client that went, no error of the process.
  res.on("error", () => gone.abort());
  // It went while others worked on the request: there was an event, and there will be none.
  if (res.destroyed) return;
  try {
    const url = urlOf(req);
    if (url === undefined) {
      res.writeHead(400).end();
      return;
    }
    const response = await handler(requestOf(req, url, gone.signal));
    await send(response, res, gone.signal);
  } catch (error) {
    if (res.headersSent) res.destroy();
    else res.writeHead(500).end();
    // Of a client that went nothing is wrong here.
    if (!gone.signal.aborted) options.onError?.(error);
  }
}

/** What would end the host in a URL, or stand before it. */
const NO_HOST = /[/\\?#@\s]/;
/** A path that a URL has otherwise: who judges the request by its path, such as a router, must have judged what the handler will see. */
const OTHER_PATH = /^[^/]|[\\#]|\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

function urlOf(req: IncomingMessage): string | undefined {
  const { host = "localhost" } = req.headers;
  // Express takes the path that a router is mounted at away from `url`.
  const { baseUrl } = req as { readonly baseUrl?: unknown };
  const path = `${typeof baseUrl === "string" ? baseUrl : ""}${req.url ?? "/"}`;
  if (NO_HOST.test(host) || OTHER_PATH.test(path)) return undefined;
  const protocol = "encrypted" in req.socket ? "https" : "http";
  const url = `${protocol}://${host}${path}`;
  return URL.canParse(url) ? url : undefined;
}

function requestOf(req: IncomingMessage, url: string, signal: AbortSignal): Request {
  const headers = new Headers();
  for (let index = 0; index + 1 < req.rawHeaders.length; index += 2) {
    const name = req.rawHeaders[index] as string;
    // HTTP/2 has pseudo-headers, which `Headers` refuses.
    if (!name.startsWith(":")) headers.append(name, req.rawHeaders[index + 1] as string);
  }
  const method = req.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : ReadableStream.from<Uint8Array>(req);
  return new Request(url, { method, headers, signal, body, duplex: "half" });
}

async function send(response: Response, res: ServerResponse, gone: AbortSignal): Promise<void> {
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") res.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader("set-cookie", cookies);
  res.writeHead(response.status);
  if (response.body === null) {
    res.end();
    return;
  }
  // A stream that is still silent is open for the client already.
  res.flushHeaders();
  const reader = response.body.getReader();
  // Also while nothing can be written: a body that breaks off cuts the client off.
  reader.closed.catch(() => res.destroy());
  const cancel = () => void reader.cancel().catch(() => {});
  if (gone.aborted) cancel();
  else gone.addEventListener("abort", cancel, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!res.write(value)) await drained(res, gone);
  }
  res.end();
}

function drained(res: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off("drain", done);
      gone.removeEventListener("abort", done);
      resolve();
    };
    res.once("drain", done);
    gone.addEventListener("abort", done, { once: true });
  });
}
