import type {
  AnyCommandContract,
  AnyEventContract,
  AnyTaskContract,
  CommandParams,
  TaskParams,
  TaskReturn,
} from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { type DeclaredSchedule, declareSchedule, type ScheduleOptions } from "../schedules/definition.ts";
import type { TaskContext } from "../worker/context.ts";
import { type EventHandler, EventListener, type ListenerOptions, type SkippedEvent } from "../worker/event-listener.ts";
import type { CommandContext } from "../worker/message-context.ts";
import type { Registration } from "../worker/queue-worker.ts";

/** What handles a task or a command: typed by its contract, with no annotation. */
export type Handler<Contract extends AnyTaskContract | AnyCommandContract> = Contract extends AnyTaskContract
  ? (params: TaskParams<Contract>, context: TaskContext) => TaskReturn<Contract> | Promise<TaskReturn<Contract>>
  : Contract extends AnyCommandContract
    ? (params: CommandParams<Contract>, context: CommandContext) => unknown
    : never;

/** A handler, listener or schedule that a module exports, for {@link discover} and `app.register`. */
export interface Discoverable {
  readonly intermodal: (registry: Registry, service: ServiceOptions) => void;
}

export interface ServiceOptions {
  readonly service: string;
  readonly concurrency: number;
  readonly onSkipped: ((event: SkippedEvent) => void) | undefined;
}

/** Binds a handler to its contract, to be registered later. */
export function defineHandler<Contract extends AnyTaskContract | AnyCommandContract>(
  contract: Contract,
  handler: Handler<Contract>,
): Discoverable {
  return { intermodal: (registry) => registry.handle(contract, handler) };
}

/** Binds a schedule to its task, to be registered later. @throws as `app.schedule`. */
export function defineSchedule<Contract extends AnyTaskContract>(
  contract: Contract,
  options: ScheduleOptions<Contract>,
): Discoverable {
  const declared = declareSchedule(contract, options);
  return { intermodal: (registry) => registry.schedule(declared) };
}

/** Binds a listener to its event, to be registered later. */
export function defineListener<Contract extends AnyEventContract>(
  contract: Contract,
  options: ListenerOptions,
  handler: EventHandler<Contract>,
): Discoverable {
  return { intermodal: (registry, service) => registry.on(contract, options, handler, service) };
}

/** The tasks, commands, listeners and schedules of an app, by name. */
export class Registry {
  readonly registrations = new Map<string, Registration>();
  readonly listeners = new Map<string, EventListener>();
  readonly schedules = new Map<string, DeclaredSchedule>();
  /** No more, once the app has started. */
  sealed = false;

  /** @throws `ALREADY_REGISTERED`, `CONFIG_INVALID` after the start. */
  handle<Contract extends AnyTaskContract | AnyCommandContract>(contract: Contract, handler: Handler<Contract>): void {
    this.#assertOpen(contract.name);
    if (this.registrations.has(contract.name)) {
      throw new IntermodalError(
        "ALREADY_REGISTERED",
        `"${contract.name}" has a handler already; a type has one handler in an app`,
      );
    }
    this.registrations.set(contract.name, { contract, handler } as Registration);
  }

  /** @throws `ALREADY_REGISTERED`, `CONFIG_INVALID`, `INVALID_NAME`. */
  on<Contract extends AnyEventContract>(
    contract: Contract,
    options: ListenerOptions,
    handler: EventHandler<Contract>,
    service: ServiceOptions,
  ): void {
    this.#assertOpen(options.listener);
    if (this.listeners.has(options.listener)) {
      throw new IntermodalError(
        "ALREADY_REGISTERED",
        `listener "${options.listener}" exists already; give each listener of an app a name of its own`,
      );
    }
    const { service: name, concurrency, onSkipped } = service;
    const registration = {
      contract,
      options,
      handler: handler as never,
      service: name,
      defaultConcurrency: concurrency,
      onSkipped,
    };
    this.listeners.set(options.listener, new EventListener(registration));
  }

  /** @throws `ALREADY_REGISTERED`, `CONFIG_INVALID` after the start. */
  schedule(declared: DeclaredSchedule): void {
    const { name } = declared;
    this.#assertOpen(name);
    if (this.schedules.has(name)) {
      throw new IntermodalError("ALREADY_REGISTERED", `schedule "${name}" is declared already; choose another name`);
    }
    this.schedules.set(name, declared);
  }

  #assertOpen(what: string): void {
    if (this.sealed)
      throw new IntermodalError("CONFIG_INVALID", `"${what}" is registered too late: register before start()`);
  }
}

export function isDiscoverable(value: unknown): value is Discoverable {
  return (
    typeof value === "object" && value !== null && typeof (value as { intermodal?: unknown }).intermodal === "function"
  );
}
