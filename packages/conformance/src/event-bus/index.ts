import type { ConformanceCase } from "../case.ts";
import { deliveryCases } from "../delivery/index.ts";
import { servicesApart } from "./apart.ts";
import { awayCatchesUp, startPolicy } from "./away.ts";
import { closed } from "./closed.ts";
import { everyListener, withoutListener } from "./every-listener.ts";
import { forget } from "./forget.ts";
import { gap } from "./gap.ts";
import { inspect } from "./inspect.ts";
import { eventBus } from "./listener.ts";
import { ownDeadLetters, ownRetries } from "./own-retries.ts";
import { slowListener } from "./slow-listener.ts";

/** What an event bus promises. */
export const eventBusCases: readonly ConformanceCase[] = [
  ...deliveryCases(eventBus),
  withoutListener,
  everyListener,
  awayCatchesUp,
  startPolicy,
  slowListener,
  ownRetries,
  ownDeadLetters,
  forget,
  servicesApart,
  gap,
  inspect,
  closed,
];
