import { IntermodalError } from "../errors.ts";
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
  const accept = request.headers.get("accept")?.toLowerCase() ?? "*/*";
  if (accept.includes("text/event-stream")) return "stream";
  if (accept.includes("application/json")) return "page";
  return /(?:\*|text)\/\*/.test(accept) ? "stream" : undefined;
}

/**
 * The sequence after which a stream is to go on: the header as browsers send it when they come back, or `lastEventId` in the query for the first time.
 * @throws `CURSOR_INVALID`.
 */
export function lastEventId(request: Request): number {
  const text = request.headers.get("last-event-id") || new URL(request.url).searchParams.get("lastEventId") || "0";
  const sequence = wholeNumber(text);
  if (sequence === undefined)
    throw new IntermodalError("CURSOR_INVALID", "an event id of a run's stream is a whole number");
  return sequence;
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
  const text = new URL(request.url).searchParams.get(name);
  if (text === null) return fallback;
  const value = wholeNumber(text);
  if (value !== undefined && value >= range[0] && value <= range[1]) return value;
  throw new IntermodalError("VALIDATION_FAILED", `"${name}" must be a whole number from ${range[0]} to ${range[1]}`);
}
