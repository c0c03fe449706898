import type { ConformanceCase } from "../case.ts";
import { deliveryCases } from "../delivery/index.ts";
import { apart, sameIdElsewhere } from "./apart.ts";
import { closed } from "./closed.ts";
import { consumerDeleted } from "./consumer-deleted.ts";
import { delayedSend } from "./delayed-send.ts";
import { inspect } from "./inspect.ts";
import { commandBus } from "./queue.ts";
import { unroutable } from "./unroutable.ts";

/** What a command bus promises. */
export const commandBusCases: readonly ConformanceCase[] = [
  ...deliveryCases(commandBus),
  unroutable,
  delayedSend,
  apart,
  sameIdElsewhere,
  inspect,
  closed,
  consumerDeleted,
];
