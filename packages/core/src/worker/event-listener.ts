import { tell } from "../app/notifications.ts";
import type { Runtime } from "../app/runtime.ts";
import type { AnyEventContract, EventPayload, RetryOptions, RetryPolicy, VersionRange } from "../contracts/index.ts";
import { checkRange, inRange, parseWith, sameMajor } from "../contracts/index.ts";
import { retryPolicy } from "../contracts/retry.ts";
import { IntermodalError, messageOf } from "../errors.ts";
import { ACK, type Consumption, type Delivery, type Settlement } from "../ports/delivery.ts";
import { type ListenerName, listenerKey } from "../ports/event-bus.ts";
import type { EventEnvelope } from "../wire/envelope.ts";
import type { JsonObject } from "../wire/json.ts";
import { checkName } from "../wire/names.ts";
import { HAND_BACK } from "./come-back.ts";
import { RunningMessages } from "./handle-message.ts";
import { ListenerInbox } from "./listener-inbox.ts";
import { createMessageContext, type ListenerContext } from "./message-context.ts";
import { runInScope } from "./scope.ts";

/** An event as a listener gets it. */
export interface BusEvent<Data> {
  /** Empty when the publisher gave none: then there is no deduplication. */
  readonly id: string;
  readonly type: string;
  readonly version: string;
  /** The publisher. */
  readonly source: string;
  /** When it was published, in milliseconds since the epoch. */
  readonly time: number;
  readonly data: Data;
}

/** How one listener listens. */
export interface ListenerOptions {
  /** Names the listener within the app: its replicas share its events. */
  readonly listener: string;
  /**
   * The versions it understands.
   * @default all of the contract's major version
   */
  readonly versions?: VersionRange | undefined;
  /**
   * Where it starts when it is new.
   * @default "new"
   */
  readonly from?: "new" | "earliest" | undefined;
  /**
   * Events handled at once in this process.
   * @default 10
   */
  readonly concurrency?: number | undefined;
  /** @default 5 attempts, `exponential()` */
  readonly retry?: RetryOptions | undefined;
  /**
   * What becomes of an event whose data fails the contract's schema.
   * @default "dead-letter"
   */
  readonly invalid?: "dead-letter" | "skip" | undefined;
}

/** Why an event was acknowledged without being handled. */
export interface SkippedEvent {
  readonly listener: string;
  readonly reason: "version" | "invalid";
  readonly id: string;
  readonly type: string;
  readonly version: string;
}

/** What handles an event: returning acknowledges it, throwing has it tried again. */
export type EventHandler<Contract extends AnyEventContract> = (
  event: BusEvent<EventPayload<Contract>>,
  context: ListenerContext,
) => unknown;

/** How a listener of this process has fared since it started. */
export interface ListenerCounts {
  readonly handled: number;
  /** Acknowledged unhandled: of a version or shape it doesn't understand. */
  readonly skipped: number;
  /** Trimmed by the broker before this listener could get them. */
  readonly missed: number;
}

export interface EventListenerOptions {
  readonly contract: AnyEventContract;
  readonly options: ListenerOptions;
  readonly handler: (event: BusEvent<never>, context: ListenerContext) => unknown;
  readonly service: string;
  readonly defaultConcurrency: number;
  readonly onSkipped: ((event: SkippedEvent) => void) | undefined;
}

/** One registered listener: understands, deduplicates, handles, and answers for its own retries alone. */
export class EventListener {
  readonly name: ListenerName;
  readonly #registration: EventListenerOptions;
  readonly #versions: VersionRange;
  readonly #retry: RetryPolicy;
  readonly #running = new RunningMessages();
  #counts = { handled: 0, skipped: 0, missed: 0 };
  #inbox: ListenerInbox | undefined;
  #consumption: Consumption | undefined;
  #stopping = false;

  constructor(registration: EventListenerOptions) {
    const { contract, options, service } = registration;
    this.#registration = registration;
    const { concurrency } = options;
    if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency > 0)) {
      throw new IntermodalError(
        "CONFIG_INVALID",
        `concurrency of listener "${options.listener}" must be a positive whole number, not ${String(concurrency)}`,
      );
    }
    this.name = { service, listener: checkName("the listener name", options.listener) };
    this.#versions =
      options.versions === undefined
        ? sameMajor(contract.version)
        : checkRange(`listener "${options.listener}"`, options.versions);
    this.#retry = retryPolicy(options.retry);
  }

  get counts(): ListenerCounts {
    return this.#counts;
  }

  async start(runtime: Runtime): Promise<void> {
    const { contract, options, defaultConcurrency } = this.#registration;
    const listening = {
      types: [contract.name],
      from: options.from ?? "new",
      concurrency: options.concurrency ?? defaultConcurrency,
      onGap: (missed: number) => {
        this.#counts.missed += missed;
        logger.warn("events were trimmed before a listener could get them", {
          listener: options.listener,
          missed,
        });
      },
    } as const;
    const { eventBus, inbox } = runtime.ports;
    const { settings, node, clock, logger } = runtime.surroundings;
    this.#inbox =
      inbox &&
      new ListenerInbox({
        inbox,
        place: listenerKey(this.name),
        leaseMs: eventBus.capabilities.leaseMs,
        windowMs: settings.inboxWindowMs,
        node,
        clock,
        logger,
      });
    this.#consumption = await eventBus.listen(this.name, listening, (delivery) => this.#handle(runtime, delivery));
    if (this.#stopping) await this.#consumption.close({ timeoutMs: 0 });
  }

  /** Takes nothing new, and resolves when no delivery is left here, or after `timeoutMs`. */
  async takeNoMore(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    await this.#consumption?.close({ timeoutMs });
  }

  /** Asks the handler to stop; what comes to it later is handed back. */
  shutDown(): void {
    this.#running.shutDown();
  }

  get running(): readonly { readonly id: string; readonly type: string }[] {
    return this.#running.list;
  }

  async idle(): Promise<void> {
    await this.#consumption?.close();
  }

  async #handle(runtime: Runtime, delivery: Delivery): Promise<Settlement> {
    if (this.#stopping) return HAND_BACK;
    const { contract, options } = this.#registration;
    let event: EventEnvelope;
    try {
      event = runtime.surroundings.codec.decode(delivery.body);
    } catch (error) {
      return { kind: "dead-letter", reason: messageOf(error) };
    }
    if (!inRange(event.version, this.#versions)) return this.#skip(runtime, event, "version");
    let data: unknown = event.data;
    if (contract.data !== undefined) {
      try {
        data = await parseWith(contract.data, event.data, `data of event "${contract.name}"`);
      } catch (error) {
        if (options.invalid === "skip") return this.#skip(runtime, event, "invalid");
        return { kind: "dead-letter", reason: messageOf(error) };
      }
    }
    const type = event.type || delivery.type;
    return this.#once(runtime, delivery, { ...event, type, data: data as JsonObject });
  }

  #skip(runtime: Runtime, event: EventEnvelope, reason: SkippedEvent["reason"]): Settlement {
    const { options, onSkipped } = this.#registration;
    const skipped: SkippedEvent = {
      listener: options.listener,
      reason,
      id: event.id,
      type: event.type,
      version: event.version,
    };
    this.#counts.skipped++;
    const { logger } = runtime.surroundings;
    logger.warn("an event was skipped", { ...skipped, understands: this.#versions });
    if (onSkipped !== undefined) tell(onSkipped, skipped, logger, "onSkippedEvent");
    return ACK;
  }

  /** With an inbox and an id, an event whose completion was recorded is not handled again, and copies of it are not handled at once. */
  #once(runtime: Runtime, delivery: Delivery, event: EventEnvelope): Promise<Settlement> {
    const run = () => this.#run(runtime, delivery, event);
    return this.#inbox === undefined || event.id === "" ? run() : this.#inbox.once(event.id, run);
  }

  #run(runtime: Runtime, delivery: Delivery, event: EventEnvelope): Promise<Settlement> {
    const { handler, options } = this.#registration;
    return this.#running.handle(event, delivery, this.#retry, async (abort) => {
      const message = { delivery, envelope: event, abort: abort.signal, place: options.listener };
      const context = createMessageContext(runtime, message);
      const { id, type, version, source, time, data } = event;
      await runInScope(context.scope, () => handler({ id, type, version, source, time, data: data as never }, context));
      this.#counts.handled++;
    });
  }
}
