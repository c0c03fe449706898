import { IntermodalError } from "../errors.ts";
import { positionOf, type RunPosition } from "./event-id.ts";
import { wholeNumber } from "./whole-number.ts";

/** The run that `…/:id` or `…/runs/:id/events` names. */
export function runIdFromPath(request: Request): string | undefined {
  const segments = new URL(request.url).pathname.split("/").filter((segment) => segment !== "");
  const nested = segments.at(-1) === "events" && segments.at(-3) === "runs";
  const segment = segments.at(nested ? -2 : -1);
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    // A stray "%": no run has that name.
    return undefined;
  }
}

/** What a client wants to read: the stream itself, or a page of history. `undefined`: something that there is not. */
export function representationOf(request: Request): "stream" | "page" | undefined {
  if (asksForStream(request)) return "stream";
  const accept = request.headers.get("accept")?.toLowerCase() ?? "*/*";
  if (accept.includes("application/json")) return "page";
  return /(?:\*|text)\/\*/.test(accept) ? "stream" : undefined;
}

/** As browsers' `EventSource` does, and our client. */
export function asksForStream(request: Request): boolean {
  return request.headers.get("accept")?.toLowerCase().includes("text/event-stream") ?? false;
}

/**
 * Behind which event a stream is to go on: the header as browsers send it when they come back, or `lastEventId` in the query for the first time.
 * @throws `CURSOR_INVALID`.
 */
export function lastEventId(request: Request): RunPosition | undefined {
  return positionOf(request.headers.get("last-event-id") || queried(request, "lastEventId") || "0");
}

/** Behind which event a page begins. @throws `CURSOR_INVALID`. */
export function pageStart(request: Request): RunPosition | undefined {
  return positionOf(queried(request, "after") ?? "0");
}

/**
 * A whole number in the query.
 * @throws `VALIDATION_FAILED` when it is something else or out of range.
 */
export function queryNumber(
  request: Request,
  name: string,
  fallback: number,
  range: readonly [number, number],
): number {
  const text = queried(request, name);
  if (text === null) return fallback;
  const value = wholeNumber(text);
  if (value !== undefined && value >= range[0] && value <= range[1]) return value;
  throw new IntermodalError("VALIDATION_FAILED", `"${name}" must be a whole number from ${range[0]} to ${range[1]}`);
}

function queried(request: Request, name: string): string | null {
  return new URL(request.url).searchParams.get(name);
}
