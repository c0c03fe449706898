import type { KnownStream } from "./known-streams.ts";
import { type ChunkHead, chunkId, endOf } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import { type Found, nameOf, type Put } from "./stream-plan.ts";
import { decodeText, encodeText } from "./text.ts";

/** The numbers of one writer's events. */
type Numbers = Map<string, number[]>;

/**
 * Looks for events that may have been stored before: those whose numbers their writers have passed. As a rule there are none, and nothing is asked.
 * @returns what is known of each, by `nameOf`. @throws `UNAVAILABLE` where the answer has yet to reach a majority of servers.
 */
export async function findStored(
  what: string,
  log: StreamLog,
  stream: KnownStream,
  { puts }: { readonly puts: readonly Put[] },
): Promise<ReadonlyMap<string, Found>> {
  const numbers: Numbers = new Map();
  for (const { events } of puts)
    for (const { writer, n } of events) {
      // What is no text is refused when its put is to be stored.
      if (typeof writer !== "string") continue;
      const text = encodeText(writer);
      const of = numbers.get(text);
      if (of === undefined) numbers.set(text, [n]);
      else of.push(n);
    }
  const found = new Map<string, Found>();
  await Promise.all([...numbers].map(([writer, ns]) => findOf(what, log, stream, writer, ns, found)));
  return found;
}

async function findOf(
  what: string,
  log: StreamLog,
  stream: KnownStream,
  writer: string,
  ns: readonly number[],
  found: Map<string, Found>,
): Promise<void> {
  const { incarnation } = stream;
  if (incarnation === undefined) return;
  const text = encodeText(stream.streamId);
  let highest = stream.highest(writer);
  if (highest === undefined) {
    highest = await log.highestOf(what, text, incarnation, writer);
    stream.learn(writer, Math.max(highest, stream.highest(writer) ?? 0));
  }
  const passed = ns.filter((n) => n <= (highest as number));
  if (passed.length === 0) return;
  const range = [Math.min(...passed), Math.max(...passed)] as const;
  const holding = await log.holding(what, text, incarnation, writer, range);
  const kept: ChunkHead[] = [];
  for (const head of holding) if (!(await isStray(what, log, stream.key, head))) kept.push(head);
  // What is answered without being stored anew must not be lost with the server that told of it.
  await log.awaitHeld(
    what,
    kept.map(({ _id }) => _id),
  );
  const missing: number[] = [];
  for (const n of passed) {
    const stretch = kept.flatMap((head) => stretchesOf(writer, head)).find((one) => one.n <= n && n <= one.last_n);
    if (stretch === undefined) missing.push(n);
    else found.set(nameIn(writer, n), { sequence: stretch.sequence + (n - stretch.n) });
  }
  if (missing.length > 0) await findForgotten(what, log, stream, writer, missing, found);
}

/** Of those that are not kept: the cap may have taken them, if it took anything and what is kept of the writer came later. */
async function findForgotten(
  what: string,
  log: StreamLog,
  stream: KnownStream,
  writer: string,
  ns: readonly number[],
  found: Map<string, Found>,
): Promise<void> {
  const first = await log.first(what, stream.key);
  if (first === undefined || first.incarnation !== stream.incarnation || first.from === 1) return;
  const range = [1, Number.MAX_SAFE_INTEGER] as const;
  const kept = await log.holding(what, encodeText(stream.streamId), first.incarnation, writer, range);
  const earliest = Math.min(...kept.flatMap((head) => stretchesOf(writer, head)).map(({ n }) => n));
  for (const n of ns) if (n < earliest) found.set(nameIn(writer, n), "forgotten");
}

/**
 * Whether a chunk does not stand where it seems to: it was stored so late that the cap had taken what was at its place. Then what comes next does not come right after it, but begins later,
 * or amid it, and it is removed: it was never acknowledged.
 */
export async function isStray(what: string, log: StreamLog, key: string, chunk: ChunkHead): Promise<boolean> {
  const [next] = await log.headsFrom(what, key, chunk.base + chunk.from + 1, 1);
  if (next === undefined || next._id === chunkId(key, endOf(chunk) + 1)) return false;
  await log.remove(what, chunk._id);
  return true;
}

function stretchesOf(writer: string, head: ChunkHead) {
  return head.writers.filter((stretch) => stretch.writer === writer);
}

function nameIn(writer: string, n: number): string {
  return nameOf({ writer: decodeText(writer), n });
}
