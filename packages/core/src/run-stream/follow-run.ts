import type { Runtime } from "../app/runtime.ts";
import { IntermodalError } from "../errors.ts";
import { isTerminal } from "../lifecycle/record.ts";
import { positionOf } from "./event-id.ts";
import type { RunStreamSource } from "./http.ts";
import { type RunEvent, type RunGap, toRunEvent } from "./run-event.ts";
import { segmentOf, streamIdOf } from "./segments.ts";

/** An event of a run, or word of events that are gone. */
export type RunEntry = RunEvent | RunGap;

/**
 * Follows a segment of a run, in process: that of the event named, else the current one.
 * @throws `PORT_MISSING`, `NOT_FOUND`, `CURSOR_INVALID`.
 */
export async function* followRunOf(
  runtime: Runtime,
  runId: string,
  options: { readonly after?: string | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<RunEntry, void, undefined> {
  const { eventStream, locate } = runSource(runtime);
  const position = positionOf(options.after ?? "0");
  const located = await locate(runId, position?.segment);
  if (located === undefined)
    throw new IntermodalError("NOT_FOUND", `there is no run ${runId}, or its events have expired`);
  const { streamId, segment } = located;
  for await (const entry of eventStream.follow(streamId, { after: position?.sequence, signal: options.signal })) {
    yield "gap" in entry ? entry : toRunEvent({ runId, segment }, entry);
  }
}

/** Where the runs of an app are read. @throws `PORT_MISSING`. */
export function runSource(runtime: Runtime): RunStreamSource {
  const { eventStream } = runtime.ports;
  if (eventStream === undefined) {
    throw new IntermodalError(
      "PORT_MISSING",
      "run streams need an event stream store: name one with `streams` or INTERMODAL_STREAMS (even as `memory:`)",
    );
  }
  const locate = async (runId: string, wanted?: number) => {
    const root = await runtime.store.get(runId);
    if (root === undefined || root.rootId !== root.id) return undefined;
    const current = segmentOf(runId, root.streamId);
    const segment = wanted ?? current;
    if (segment > current)
      throw new IntermodalError("CURSOR_INVALID", `the run ${runId} has no segment ${segment} yet`);
    const located = { streamId: streamIdOf(runId, segment), segment };
    if (segment === current && (!isTerminal(root.status) || root.duties.includes("end-stream"))) return located;
    return (await eventStream.read(located.streamId, { limit: 1 })).last === 0 ? undefined : located;
  };
  return { eventStream, locate };
}
