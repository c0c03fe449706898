import type { Clock } from "../ports/clock.ts";
import type { Consumption } from "../ports/delivery.ts";
import type { Logger } from "../ports/logger.ts";
import type { Broker } from "./broker.ts";
import type { MemoryConnection } from "./connection.ts";
import { type ConsumptionOptions, MemoryConsumption } from "./consumption.ts";
import type { MemoryLimits } from "./limits.ts";

/** What both buses of one client work with. */
export interface BusClient {
  readonly broker: Broker;
  readonly limits: MemoryLimits;
  readonly connection: MemoryConnection;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @returns the consumption once the server delivers to it. */
export async function consume(
  client: BusClient,
  options: Pick<ConsumptionOptions, "what" | "concurrency" | "queue" | "handle" | "onGap">,
): Promise<Consumption> {
  client.connection.assertOpen(options.what);
  const { connection, clock, logger, limits } = client;
  const consumption = new MemoryConsumption({ ...options, connection, clock, logger, leaseMs: limits.leaseMs });
  await consumption.start();
  return consumption;
}
