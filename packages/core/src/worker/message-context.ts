import { type PublishOptions, publishEvent, type SendOptions, sendCommand } from "../app/publish.ts";
import type { Runtime } from "../app/runtime.ts";
import { TaskHandle } from "../app/task-handle.ts";
import type {
  AnyCommandContract,
  AnyEventContract,
  AnyTaskContract,
  CommandInput,
  EventData,
  TaskInput,
} from "../contracts/index.ts";
import type { Delivery } from "../ports/delivery.ts";
import type { Logger } from "../ports/logger.ts";
import { type SubmitOptions, submitTask } from "../workflow/submit.ts";
import { contextLogger, MessageIds } from "./context.ts";
import type { Scope } from "./scope.ts";

/**
 * What the handler of a plain command or an event is given. What it sends, publishes and submits derives its ids from the message at hand, so that a repeated
 * delivery does not double it.
 */
export interface MessageContext {
  /** The message's own id. */
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborts when the delivery is lost, its `timeoutMs` is over, or the worker shuts down and has waited long enough. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  submit<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options?: SubmitOptions,
  ): Promise<TaskHandle<Contract>>;
  publish<Contract extends AnyEventContract>(
    contract: Contract,
    data: EventData<Contract>,
    options?: PublishOptions,
  ): Promise<void>;
  send<Contract extends AnyCommandContract>(
    contract: Contract,
    input: CommandInput<Contract>,
    options?: SendOptions,
  ): Promise<void>;
}

/** What a command's handler is given beside its parameters. */
export type CommandContext = MessageContext;
/** What a listener is given beside the event. */
export type ListenerContext = MessageContext;

interface Message {
  readonly delivery: Delivery;
  readonly envelope: {
    readonly id: string;
    readonly type: string;
    readonly traceparent?: string | undefined;
    readonly correlationId?: string | undefined;
  };
  /** Aborts at a time-out or shut-down. */
  readonly abort: AbortSignal;
  /** Distinguishes listeners of the same event. */
  readonly place?: string | undefined;
}

export function createMessageContext(runtime: Runtime, message: Message): MessageContext & { readonly scope: Scope } {
  return new DeliveryContext(runtime, message);
}

class DeliveryContext implements MessageContext {
  readonly scope: Scope;
  readonly attempt: number;
  readonly #runtime: Runtime;
  readonly #message: Message;
  readonly #ids: MessageIds;
  #signal: AbortSignal | undefined;
  #log: Logger | undefined;

  constructor(runtime: Runtime, message: Message) {
    const { delivery, envelope, place } = message;
    this.#runtime = runtime;
    this.#message = message;
    this.attempt = delivery.attempt;
    // Without an id of its own a message is told apart by how it came.
    const id = envelope.id || delivery.id;
    this.#ids = new MessageIds(place === undefined ? id : `${id}/${place}`);
    const { traceparent, correlationId } = envelope;
    this.scope = { log: { event: id, attempt: delivery.attempt, trace: traceparent }, traceparent, correlationId, id };
  }

  get id() {
    return this.#message.envelope.id;
  }

  get signal() {
    this.#signal ??= AbortSignal.any([this.#message.delivery.signal, this.#message.abort]);
    return this.#signal;
  }

  get log() {
    this.#log ??= contextLogger(this.#runtime.surroundings.logger);
    return this.#log;
  }

  async submit<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options: SubmitOptions = {},
  ) {
    const { traceparent, correlationId, id } = this.scope;
    const withId = { id: this.#ids.next("task", contract.name), ...options };
    const record = await submitTask(this.#runtime, contract, input, withId, {
      traceparent,
      correlationId,
      causationId: id,
    });
    return new TaskHandle(this.#runtime, contract, record.id);
  }

  publish<Contract extends AnyEventContract>(
    contract: Contract,
    data: EventData<Contract>,
    options?: PublishOptions,
  ): Promise<void> {
    return publishEvent(this.#runtime, contract, data, { id: this.#ids.next("event", contract.name), ...options });
  }

  send<Contract extends AnyCommandContract>(
    contract: Contract,
    input: CommandInput<Contract>,
    options?: SendOptions,
  ): Promise<void> {
    return sendCommand(this.#runtime, contract, input, { id: this.#ids.next("command", contract.name), ...options });
  }
}
