import type { Client } from "./client.ts";
import { channelFailure, isNotFound } from "./errors.ts";
import type { Link } from "./link.ts";
import type { Place } from "./names.ts";

/** How many messages wait at a place, and how many are dead. One that is not there is empty. */
export async function countReady(
  client: Client,
  place: Place,
): Promise<{ readonly ready: number; readonly dead: number }> {
  const link = await client.consuming(`inspect ${place.what}`);
  const ready = await countIn(link, place.queue);
  // Whoever reads them holds them meanwhile.
  const dead = await client.options.connections.reading.run(() => countIn(link, place.dead));
  return { ready, dead };
}

/** How many messages wait in a queue: those that somebody holds are not among them. */
export async function countIn(link: Link, queue: string): Promise<number> {
  try {
    return await link.using(async (channel) => (await channel.checkQueue(queue)).messageCount);
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw channelFailure(`counting ${queue}`, error);
  }
}
