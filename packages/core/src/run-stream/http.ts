import type { Clock } from "../ports/clock.ts";
import type { EventStream } from "../ports/event-stream.ts";
import type { Logger } from "../ports/logger.ts";
import { historyPage, MAX_PAGE } from "./history.ts";
import { asksForStream, lastEventId, pageStart, queryNumber, representationOf, runIdFromPath } from "./http-request.ts";
import { inStream, internalError, problem, problemOf } from "./problem.ts";
import { ReaderLog } from "./reader-log.ts";
import { SSE_HEADERS } from "./sse.ts";
import { sseBody } from "./sse-body.ts";

/** What the handler reads from. */
export interface RunStreamSource {
  readonly eventStream: EventStream;
  /**
   * Finds the stream of a run's segment, the current one unless another is asked for. The first is number 1, each further one has the number of the series that a replay began.
   * @returns `undefined` where the run is unknown or its events have expired. @throws `CURSOR_INVALID` for a segment that there has not been yet.
   */
  locate(runId: string, segment?: number): Promise<{ readonly streamId: string; readonly segment: number } | undefined>;
}

export interface RunStreamHandlerOptions {
  /** A function is asked at every request that is allowed. */
  readonly source: RunStreamSource | (() => Promise<RunStreamSource>);
  /**
   * Asked at every connection, also when a client comes back: `false` answers 403, a `Response` is given to the client as it is, a rejection answers 500.
   * Without it everyone who reaches the handler may read every run.
   */
  readonly authorize?:
    | ((request: Request, runId: string) => boolean | Response | Promise<boolean | Response>)
    | undefined;
  /**
   * Which run a request asks for.
   * @default `…/runs/:id/events`, else the last segment of the path
   */
  readonly runId?: ((request: Request) => string | undefined) | undefined;
  /**
   * How often a comment is sent, so that nobody takes a quiet connection for a dead one.
   * @default 15,000
   */
  readonly heartbeatMs?: number | undefined;
  /**
   * How far the handler reads ahead of a slow client.
   * @default 1,048,576
   */
  readonly maxBufferedBytes?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Makes an HTTP handler that streams what a run is doing as server-sent events, resumable by `Last-Event-ID`, and pages its history as JSON where a client
 * accepts that only. It never rejects. A client that comes back goes on in the segment that it was in; without an id it gets the current one: of a run that was replayed, the replay.
 *
 * Answers: 200 · 204 once the run is over and nothing is left after the client's position, so that browsers stop · 400 for a position the stream never had ·
 * 403 · 404 unknown or expired run · 405 · 406 · 500 · 503 with `Retry-After` while the events cannot be read; who asks for a `text/event-stream` in so many words is told of the last two in one, by
 * an event named `unavailable` and its end, since a browser's `EventSource` comes back from nothing else.
 *
 * A browser's `EventSource` raises an event under the name it was emitted with, but for `error` and `open`, which are its own: those come as `message`. What was trimmed comes as an event named `gap` with `{from, to}`.
 */
export function createRunStreamHandler(options: RunStreamHandlerOptions): (request: Request) => Promise<Response> {
  const readers = new ReaderLog(options.logger);
  return async (request) => {
    try {
      const response = await respond(request, options);
      if (response.ok) readers.served();
      return response;
    } catch (error) {
      return forReader(request, problemOf(error, options.logger, readers));
    }
  };
}

/** What is wrong here and may pass is told so that a client comes back. */
function forReader(request: Request, answer: Response): Response | Promise<Response> {
  return answer.status >= 500 && asksForStream(request) ? inStream(answer) : answer;
}

async function respond(request: Request, options: RunStreamHandlerOptions): Promise<Response> {
  if (request.method !== "GET") {
    return problem(405, undefined, "Method not allowed", "A run's stream can be read only.", { allow: "GET" });
  }
  const runId = (options.runId ?? runIdFromPath)(request);
  if (runId === undefined || runId === "") return unknownRun();
  const allowed = await isAllowed(request, runId, options);
  if (typeof allowed === "object") return allowed;
  // Nothing but `true` opens the door, also where no compiler saw to it.
  if (allowed !== true) return problem(403, undefined, "Forbidden", "You may not read this run.");
  switch (representationOf(request)) {
    case "stream":
      return await stream(request, runId, options);
    case "page":
      return await page(request, runId, options);
    default:
      return problem(406, undefined, "Not acceptable", "There are text/event-stream and application/json.");
  }
}

/** What goes wrong there is not for the client to see: nobody has allowed it anything yet. */
async function isAllowed(
  request: Request,
  runId: string,
  { authorize, logger }: RunStreamHandlerOptions,
): Promise<boolean | Response> {
  if (authorize === undefined) return true;
  try {
    return await authorize(request, runId);
  } catch (error) {
    return forReader(request, internalError("`authorize` failed", error, logger));
  }
}

function sourceOf({ source }: RunStreamHandlerOptions): RunStreamSource | Promise<RunStreamSource> {
  return typeof source === "function" ? source() : source;
}

async function stream(request: Request, runId: string, options: RunStreamHandlerOptions): Promise<Response> {
  const position = lastEventId(request);
  const source = await sourceOf(options);
  const location = await source.locate(runId, position?.segment);
  if (location === undefined) return unknownRun();
  const { streamId, segment } = location;
  const after = position?.sequence ?? 0;
  // Looked up first, since a status can only be given before the body begins.
  const ahead = await source.eventStream.read(streamId, { after, limit: 1 });
  if (ahead.ended && ahead.events.length === 0 && ahead.gap === undefined) return nothingLeft();
  const body = sseBody({
    run: { runId, segment },
    follow: (signal) => source.eventStream.follow(streamId, { after, signal }),
    signal: request.signal,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    maxBufferedBytes: options.maxBufferedBytes ?? 1_048_576,
    clock: options.clock,
    logger: options.logger,
  });
  return new Response(body, { headers: SSE_HEADERS });
}

async function page(request: Request, runId: string, options: RunStreamHandlerOptions): Promise<Response> {
  const position = pageStart(request);
  const limit = queryNumber(request, "limit", MAX_PAGE, [1, MAX_PAGE]);
  const source = await sourceOf(options);
  const location = await source.locate(runId, position?.segment);
  if (location === undefined) return unknownRun();
  const { streamId, segment } = location;
  const after = position?.sequence ?? 0;
  const found = await source.eventStream.read(streamId, { after, limit });
  const headers = { "cache-control": "no-cache", vary: "accept" };
  return Response.json(historyPage({ runId, segment }, after, found), { headers });
}

/** For this client, at its position: a cache that kept it would give it to those who have seen nothing. */
function nothingLeft(): Response {
  return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
}

function unknownRun(): Response {
  return problem(404, "NOT_FOUND", "Not found", "There is no such run, or its events have expired.");
}
