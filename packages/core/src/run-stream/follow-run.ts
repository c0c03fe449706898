import type { Runtime } from "../app/runtime.ts";
import { IntermodalError } from "../errors.ts";
import { isTerminal } from "../lifecycle/record.ts";
import type { RunStreamSource } from "./http.ts";
import { type RunEvent, type RunGap, toRunEvent } from "./run-event.ts";

/** An event of a run, or word of events that are gone. */
export type RunEntry = RunEvent | RunGap;

/**
 * Follows the current segment of a run, in process.
 * @throws `PORT_MISSING`, `NOT_FOUND`, `CURSOR_INVALID`.
 */
export async function* followRunOf(
  runtime: Runtime,
  runId: string,
  options: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<RunEntry, void, undefined> {
  const { eventStream, locate } = runSource(runtime);
  const located = await locate(runId);
  if (located === undefined)
    throw new IntermodalError("NOT_FOUND", `there is no run ${runId}, or its events have expired`);
  for await (const entry of eventStream.follow(located.streamId, options)) {
    yield "gap" in entry ? entry : toRunEvent(runId, entry);
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
  const locate = async (runId: string) => {
    const root = await runtime.store.get(runId);
    if (root === undefined || root.rootId !== root.id) return undefined;
    const { streamId } = root;
    if (!isTerminal(root.status) || root.duties.includes("end-stream")) return { streamId };
    return (await eventStream.read(streamId, { limit: 1 })).last === 0 ? undefined : { streamId };
  };
  return { eventStream, locate };
}
