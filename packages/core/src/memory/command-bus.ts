import { assertAllTaken } from "../adapter/batch.ts";
import type {
  CommandBus,
  CommandBusCapabilities,
  OutgoingCommand,
  QueueInspection,
  WorkOptions,
} from "../ports/command-bus.ts";
import type { Consumption, DeadLetters, DeliveryHandler } from "../ports/delivery.ts";
import { type BrokerNamespace, DEDUPE_WINDOW_MS } from "./broker.ts";
import { type BusClient, consume } from "./bus-client.ts";
import { MemoryDeadLetters } from "./dead-letters.ts";
import { Pace } from "./turns.ts";

/** Commands over the in-process broker. */
export class MemoryCommandBus implements CommandBus {
  readonly capabilities: CommandBusCapabilities;
  readonly deadLetters: DeadLetters;
  readonly #client: BusClient;
  readonly #broker: BrokerNamespace;
  readonly #pace = new Pace();

  constructor(client: BusClient) {
    const { maxPayloadBytes, leaseMs } = client.limits;
    this.capabilities = {
      processLocal: true,
      dedupeWindowMs: DEDUPE_WINDOW_MS,
      maxDelayMs: Number.POSITIVE_INFINITY,
      maxHandlerMs: Number.POSITIVE_INFINITY,
      maxPayloadBytes,
      unroutable: "wait",
      leaseMs,
      countsInFlight: true,
      countsDelayed: true,
    };
    this.#client = client;
    this.#broker = client.broker.namespace(client.namespace);
    this.deadLetters = new MemoryDeadLetters(client.connection, (queue) => this.#broker.findQueue(queue));
  }

  async send(commands: readonly OutgoingCommand[]): Promise<void> {
    await this.#pace.admit(commands.length);
    assertAllTaken(await this.#client.connection.call("send", () => this.#broker.send(commands)));
  }

  work(queue: string, { concurrency }: WorkOptions, handle: DeliveryHandler): Promise<Consumption> {
    return consume(this.#client, {
      what: `work on queue ${queue}`,
      concurrency,
      queue: () => this.#broker.queue(queue),
      handle,
    });
  }

  inspect(queue: string): Promise<QueueInspection> {
    return this.#client.connection.call("inspect", () => {
      return this.#broker.findQueue(queue)?.inspect() ?? { ready: 0, inFlight: 0, delayed: 0, dead: 0 };
    });
  }
}
