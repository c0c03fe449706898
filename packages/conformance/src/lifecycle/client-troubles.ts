import type { ConformanceCase } from "../case.ts";
import { cancelling } from "./canceller-troubles.ts";
import { type Loss, TITLES } from "./losses.ts";
import { replaying } from "./replayer-troubles.ts";
import { submitting } from "./submitter-troubles.ts";

/** Clients that live, and do not get every answer. */
export const clientTroubles: readonly ConformanceCase[] = (Object.keys(TITLES) as Loss[]).flatMap((loss) => [
  submitting(loss),
  cancelling(loss),
  replaying(loss),
]);
