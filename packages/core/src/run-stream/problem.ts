import { type ErrorCode, isIntermodalError, messageOf } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { ReaderLog } from "./reader-log.ts";
import { UNAVAILABLE_EVENT } from "./run-event.ts";
import { encodeSse, encodeSseRetry, SSE_HEADERS } from "./sse.ts";

/** How long a client is asked to wait while the store is away. */
const RETRY_AFTER_S = 2;

/** An error as an HTTP answer: `application/problem+json` (RFC 9457) with the SDK's error code, where there is one, as `code`. */
export function problem(
  status: number,
  code: ErrorCode | undefined,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify({ type: "about:blank", title, status, code, detail }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

/** What is told of an error: nothing of one that nobody foresaw, which is logged instead. */
export function problemOf(error: unknown, logger: Logger, readers: ReaderLog): Response {
  if (isIntermodalError(error)) {
    switch (error.code) {
      case "CURSOR_INVALID":
        return problem(400, error.code, "No such position", "The stream of this run never had this event id.");
      case "VALIDATION_FAILED":
        return problem(400, error.code, "Bad request", error.message);
      case "UNAVAILABLE":
      case "TIMEOUT":
      case "CLOSED":
        readers.turnedAway(error);
        return problem(
          503,
          "UNAVAILABLE",
          "Temporarily unavailable",
          "The events of runs cannot be read at the moment. Nothing that is stored is lost: try again with the same event id.",
          { "retry-after": String(RETRY_AFTER_S) },
        );
    }
  }
  return internalError("a request for a run's stream failed", error, logger);
}

/** Says no more than that; the log has the rest. */
export function internalError(what: string, error: unknown, logger: Logger): Response {
  logger.error(what, { error: messageOf(error) });
  return problem(500, undefined, "Internal error", "The request could not be answered.");
}

/**
 * What keeps a client waiting, told in a stream: browsers' `EventSource` takes every status but 200 for the end of all, and of a stream that ends it comes back, with its last
 * event's id.
 */
export async function inStream(problem: Response): Promise<Response> {
  const message = encodeSse({ event: UNAVAILABLE_EVENT, data: await problem.text() });
  return new Response(encodeSseRetry(RETRY_AFTER_S * 1_000) + message, { headers: SSE_HEADERS });
}
