import { IntermodalError, messageOf } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { errorOf } from "./client-error.ts";
import { UNAVAILABLE_EVENT } from "./run-event.ts";
import { type SseMessage, SseParser } from "./sse-parser.ts";

export interface SseRequest {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly lastEventId: string | undefined;
  readonly signal: AbortSignal;
  /** How long nothing may come before the connection is taken for dead. */
  readonly idleMs: number;
  readonly clock: Clock;
  /** Told when the server has begun a stream of the run. */
  onOpen(): void;
  /** Told what the server names as the pause before the next connection. */
  onRetry(pauseMs: number): void;
}

/** The connection ended or broke, or the server is away for now. */
export class Interrupted extends Error {
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, retryAfterMs?: number) {
    super(reason);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Makes one request and yields its messages. Returns where the server says that nothing is left (204).
 * @throws {Interrupted} when the connection ended in any other way. @throws {RunStreamError} when the server refuses. @throws `CONFIG_INVALID` for a request that
 * cannot be made.
 */
export async function* sseMessages(request: SseRequest): AsyncGenerator<SseMessage, void, undefined> {
  const watch = new IdleWatch(request);
  try {
    const response = await watch.during((signal) => open(request, signal));
    if (response.status === 204) return;
    await watch.during(() => check(response));
    const reader = bodyOf(response).getReader();
    const parser = new SseParser();
    let isOpen = false;
    for (;;) {
      const { done, value } = await watch.during(() => interruptible(() => reader.read()));
      if (done) throw new Interrupted("the server ended the connection");
      const messages = parser.push(value);
      if (parser.retryMs !== undefined) request.onRetry(parser.retryMs);
      const isAway = messages[0]?.event === UNAVAILABLE_EVENT;
      if (!isOpen && !isAway) request.onOpen();
      isOpen = true;
      for (const message of messages) {
        if (message.event === UNAVAILABLE_EVENT) throw new Interrupted(reasonIn(message), parser.retryMs);
        yield message;
      }
    }
  } finally {
    watch.end();
  }
}

function open(request: SseRequest, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { ...request.headers, accept: "text/event-stream" };
  if (request.lastEventId !== undefined) headers["last-event-id"] = request.lastEventId;
  const init: RequestInit = { headers, signal, cache: "no-store" };
  try {
    // What is wrong with the request itself must not be taken for a network that is down.
    new Request(request.url, init);
  } catch (error) {
    throw new IntermodalError("CONFIG_INVALID", `the run cannot be followed: ${messageOf(error)}`, { cause: error });
  }
  // Not as the request's method: browsers refuse a `fetch` that is called on anything but the window.
  const { fetch } = request;
  return interruptible(() => fetch(request.url, init));
}

async function check(response: Response): Promise<void> {
  const { status } = response;
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    await response.body?.cancel().catch(() => {});
    throw new Interrupted(`the server answered ${status}`, Number.isFinite(seconds) ? seconds * 1_000 : undefined);
  }
  if (status !== 200) throw await errorOf(response);
}

function reasonIn({ data }: SseMessage): string {
  try {
    return String((JSON.parse(data) as { readonly detail?: unknown }).detail);
  } catch {
    return "the server cannot read the run";
  }
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  const type = response.headers.get("content-type") ?? "";
  if (response.body !== null && type.startsWith("text/event-stream")) return response.body;
  throw new IntermodalError(
    "DECODE_FAILED",
    `the server answered with "${type}" where a text/event-stream was asked for`,
  );
}

async function interruptible<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new Interrupted(messageOf(error));
  }
}

/** Cuts a connection on which nothing comes for too long. One timer, however much comes. */
class IdleWatch {
  readonly #request: SseRequest;
  readonly #cut = new AbortController();
  #waitingSince: number | undefined;
  #cancel: () => void = () => {};
  readonly #onStop = () => this.#cut.abort();

  constructor(request: SseRequest) {
    this.#request = request;
    if (request.signal.aborted) this.#cut.abort();
    request.signal.addEventListener("abort", this.#onStop, { once: true });
    this.#arm(request.idleMs);
  }

  /** Time that the reader takes for itself does not count. */
  async during<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#waitingSince = this.#request.clock.now();
    const result = await step(this.#cut.signal);
    this.#waitingSince = undefined;
    return result;
  }

  /** Lets go of the connection, whatever becomes of it. */
  end(): void {
    this.#cancel();
    this.#request.signal.removeEventListener("abort", this.#onStop);
    this.#cut.abort();
  }

  #arm(delayMs: number): void {
    const { clock, idleMs } = this.#request;
    this.#cancel = clock.schedule(delayMs, () => {
      const since = this.#waitingSince ?? clock.now();
      const leftMs = since + idleMs - clock.now();
      if (leftMs > 0) this.#arm(leftMs);
      else this.#cut.abort();
    });
  }
}
