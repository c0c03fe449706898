import { APPENDS } from "./event-stream/appends.ts";
import { FOLLOWING } from "./event-stream/following.ts";
import { READS } from "./event-stream/reads.ts";
import { sabotagesOf } from "./event-stream/stream.ts";
import type { Sabotage } from "./sabotage.ts";

/** Event streams that are right in everything but one promise. */
export const eventStreamSabotages: readonly Sabotage[] = sabotagesOf([...APPENDS, ...READS, ...FOLLOWING]);
