import type {
  AnyCommandContract,
  AnyEventContract,
  AnyTaskContract,
  CommandInput,
  EventData,
  TaskInput,
} from "../contracts/index.ts";
import { IntermodalError, messageOf } from "../errors.ts";
import type { Adapter, AdapterHealth } from "../ports/adapter.ts";
import type { QueueInspection } from "../ports/command-bus.ts";
import type { ListenerInspection } from "../ports/event-bus.ts";
import { runSource } from "../run-stream/follow-run.ts";
import { createRunStreamHandler, type RunStreamHandlerOptions } from "../run-stream/http.ts";
import { scheduleStoreOf } from "../schedules/change.ts";
import { declareSchedule, type ScheduleOptions } from "../schedules/definition.ts";
import { Scheduler } from "../schedules/scheduler.ts";
import { ScheduleHandle, Schedules } from "../schedules/schedules.ts";
import { bridgeNotifications } from "../worker/bridge.ts";
import { endLeftStreams } from "../worker/duties.ts";
import type { EventHandler, ListenerCounts, ListenerOptions } from "../worker/event-listener.ts";
import { currentScope } from "../worker/scope.ts";
import { type Unfinished, Worker } from "../worker/worker.ts";
import { type SubmitOptions, submitTask } from "../workflow/submit.ts";
import type { Carriers } from "./carriers.ts";
import { checkLookupId } from "./check-query.ts";
import { QueueDeadLetters } from "./dead-letters.ts";
import { DEFAULTS } from "./defaults.ts";
import { ListenerDeadLetters } from "./listener-dead-letters.ts";
import type { LifecycleEmitter, LifecycleName } from "./notifications.ts";
import { type PublishOptions, publishEvent, type SendOptions, sendCommand } from "./publish.ts";
import { type Discoverable, type Handler, Registry, type ServiceOptions } from "./registry.ts";
import { assertPortsFor } from "./required-ports.ts";
import { Runtime, type Surroundings } from "./runtime.ts";
import { TaskHandle } from "./task-handle.ts";
import { Tasks } from "./tasks.ts";

/** What `app.bridge` publishes. */
export interface BridgeOptions {
  /** Which notifications are published, as events named `task.<notification>`. `completed` and `failed` are owed as duties; an outage can lose the others. */
  readonly notifications: readonly LifecycleName[];
  /** Of which tasks; all when absent. */
  readonly types?: readonly AnyTaskContract[] | undefined;
}

/** How an app stands. */
export interface AppHealth {
  readonly state: "created" | "started" | "stopping" | "stopped";
  readonly adapters: readonly (AdapterHealth & { readonly name: string })[];
  /** How its listeners have fared, by name. */
  readonly listeners: Readonly<Record<string, ListenerCounts>>;
  /** Run events that were lost because their store was away. */
  readonly lostRunEvents: number;
}

/** One container, any carrier: sends, handles, publishes, listens, tracks and streams. Made by `createApp`. */
export class App {
  /** Names the application to listeners, logs and records. */
  readonly name: string;
  /** What it sends, stores and sees is apart from every other namespace. */
  readonly namespace: string;
  /** Notifications of what happens to tasks in this process. */
  readonly lifecycle: LifecycleEmitter;
  /** All tasks of the namespace. */
  readonly tasks: Tasks;
  /** All schedules of the namespace. */
  readonly schedules: Schedules;
  /** Dead letters of queues. */
  readonly deadLetters: QueueDeadLetters;
  /** Dead letters of this app's listeners. */
  readonly listenerDeadLetters: ListenerDeadLetters;
  readonly #surroundings: Surroundings;
  readonly #open: () => Promise<Carriers>;
  readonly #concurrency: (queue: string) => number;
  readonly #onStop: () => void;
  readonly #registry = new Registry();
  readonly #service: ServiceOptions;
  #state: AppHealth["state"] = "created";
  #runtime: Runtime | undefined;
  #opening: Promise<Runtime> | undefined;
  #adapters: readonly Adapter[] = [];
  #stopBridge: (() => void) | undefined;
  #worker: Worker | undefined;
  #scheduler: Scheduler | undefined;
  #stopping: Promise<{ readonly unfinished: readonly Unfinished[] }> | undefined;
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  /** @internal Applications call `createApp`. */
  constructor(options: {
    surroundings: Surroundings;
    open: () => Promise<Carriers>;
    concurrency: (queue: string) => number;
    onSkipped: ServiceOptions["onSkipped"];
    onStop: () => void;
  }) {
    this.#surroundings = options.surroundings;
    this.name = options.surroundings.name;
    this.namespace = options.surroundings.namespace;
    this.lifecycle = options.surroundings.lifecycle;
    this.#open = options.open;
    this.#concurrency = options.concurrency;
    this.#onStop = options.onStop;
    this.#service = { service: this.name, concurrency: DEFAULTS.concurrency, onSkipped: options.onSkipped };
    const ready = () => this.#ready();
    this.tasks = new Tasks(ready);
    this.schedules = new Schedules(ready, () => this.#scheduler?.wake());
    this.deadLetters = new QueueDeadLetters(ready);
    this.listenerDeadLetters = new ListenerDeadLetters(this.name, ready);
  }

  /** Registers the handler of a task or command. Workers of its queue begin with `start()`. @throws `ALREADY_REGISTERED`, `CONFIG_INVALID`. */
  handle<Contract extends AnyTaskContract | AnyCommandContract>(contract: Contract, handler: Handler<Contract>): this {
    this.#registry.handle(contract, handler);
    return this;
  }

  /** Registers a listener: a durable of its own, shared by its replicas. @throws `ALREADY_REGISTERED`, `CONFIG_INVALID`, `INVALID_NAME`. */
  on<Contract extends AnyEventContract>(
    contract: Contract,
    options: ListenerOptions,
    handler: EventHandler<Contract>,
  ): this {
    this.#registry.on(contract, options, handler, this.#service);
    return this;
  }

  /**
   * Declares a schedule: `start()` registers it, and from then on any started app of the namespace fires it, once per due time. A schedule that is known already keeps its
   * state; `app.schedules.register` is for those that come later. @throws `ALREADY_REGISTERED`, `CONFIG_INVALID`, `INVALID_NAME`, `NOT_SERIALIZABLE`, `VALIDATION_FAILED`.
   */
  schedule<Contract extends AnyTaskContract>(contract: Contract, options: ScheduleOptions<Contract>): ScheduleHandle {
    this.#registry.schedule(declareSchedule(contract, options));
    return new ScheduleHandle(this.schedules, options.name);
  }

  /** Registers what `defineHandler`, `defineListener` and `defineSchedule` made, such as `discover` finds it. @throws as `handle` and `on`. */
  register(...found: readonly Discoverable[]): this {
    for (const { intermodal } of found) intermodal(this.#registry, this.#service);
    return this;
  }

  /** Publishes external copies of chosen notifications. @throws `CONFIG_INVALID` after the start. */
  bridge(options: BridgeOptions): this {
    if (this.#registry.sealed)
      throw new IntermodalError("CONFIG_INVALID", "bridge() comes too late: call it before start()");
    const types = options.types && new Set(options.types.map(({ name }) => name));
    this.#surroundings.bridge = { notifications: new Set(options.notifications), types };
    return this;
  }

  /**
   * Stores a task and sends it; resolves when a worker can take it. A task that was stored and could not be sent is withdrawn: it reads as CANCELLED, and the same id may be
   * submitted again.
   * @throws `VALIDATION_FAILED`, `NOT_SERIALIZABLE`, `INVALID_NAME` for an id that cannot be one, `PAYLOAD_TOO_LARGE`, `CONFLICT`, `PORT_MISSING`, `UNROUTABLE`, `UNAVAILABLE` (with
   * `unknown` where it may have been stored or sent all the same: submit it again with the same id), `CLOSED` after `stop()`.
   */
  async submit<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options: SubmitOptions = {},
  ): Promise<TaskHandle<Contract>> {
    const runtime = this.#runtime ?? (await this.#ready());
    this.#assertOpen();
    const scope = currentScope();
    const cause =
      scope === undefined
        ? NO_CAUSE
        : { traceparent: scope.traceparent, correlationId: scope.correlationId, causationId: scope.id };
    const record = await submitTask(runtime, contract, input, options, cause);
    return new TaskHandle(runtime, contract, record.id);
  }

  /** The handle of a task that was submitted elsewhere. Does no I/O. @throws `VALIDATION_FAILED` for an id that is no text. */
  task<Contract extends AnyTaskContract>(contract: Contract, id: string): TaskHandle<Contract> {
    checkLookupId("a task id", id);
    return new TaskHandle(() => this.#ready(), contract, id);
  }

  /**
   * Sends a command: one worker handles it, nothing is stored. Resolves when the broker holds it.
   * @throws as `submit`, without `CONFLICT`; `NOT_SUPPORTED` for a delay that the bus cannot keep, such as of more than a day on RabbitMQ.
   */
  async send<Contract extends AnyCommandContract>(
    contract: Contract,
    input: CommandInput<Contract>,
    options: SendOptions = {},
  ): Promise<void> {
    const runtime = await this.#ready();
    this.#assertOpen();
    await sendCommand(runtime, contract, input, options);
  }

  /** Publishes an event: every listener gets it. Resolves when the broker holds it. @throws as `send`, without `UNROUTABLE` and `NOT_SUPPORTED`. */
  async publish<Contract extends AnyEventContract>(
    contract: Contract,
    data: EventData<Contract>,
    options: PublishOptions = {},
  ): Promise<void> {
    const runtime = await this.#ready();
    this.#assertOpen();
    await publishEvent(runtime, contract, data, options);
  }

  /** Removes a listener's durable, with what waits in it and its dead letters. What its inbox remembers stays for its window. @throws `UNAVAILABLE`. */
  async forget(listener: string): Promise<void> {
    await (await this.#ready()).ports.eventBus.forget({ service: this.name, listener });
  }

  /** How a queue stands. @throws `UNAVAILABLE`, `CLOSED`. */
  async inspectQueue(queue = "default"): Promise<QueueInspection> {
    return (await this.#ready()).ports.commandBus.inspect(queue);
  }

  /** How a listener of this app stands; an unknown one is empty. @throws `UNAVAILABLE`, `CLOSED`. */
  async inspectListener(listener: string): Promise<ListenerInspection> {
    return (await this.#ready()).ports.eventBus.inspect({ service: this.name, listener });
  }

  /** `Request → Response` for the run streams of this namespace: server-sent events, resumable, and history as pages of JSON. */
  runStreamHandler(
    options: Omit<RunStreamHandlerOptions, "source" | "clock" | "logger"> = {},
  ): (request: Request) => Promise<Response> {
    const { clock, logger } = this.#surroundings;
    return createRunStreamHandler({ ...options, clock, logger, source: async () => runSource(await this.#ready()) });
  }

  /** Finds out early whether every server answers. @throws `UNAVAILABLE`, `CONFIG_INVALID`, and what loading an adapter throws. */
  async connect(): Promise<void> {
    await this.#ready();
    await Promise.all(this.#adapters.map((adapter) => adapter.connect()));
  }

  /**
   * Begins to consume; resolves when everything does. While a broker cannot be reached it keeps trying, and goes on by itself whenever one comes back. Keeps the process
   * alive until `stop()`.
   * @throws what trying again cannot cure; `CLOSED` where `stop()` comes before everything consumes.
   */
  async start(): Promise<void> {
    if (this.#state !== "created")
      throw new IntermodalError("CLOSED", `the app is ${this.#state} already; an app starts once`);
    this.#state = "started";
    this.#registry.sealed = true;
    this.#keepAlive = setInterval(() => {}, 2 ** 30);
    try {
      const runtime = await this.#ready();
      // Stopped meanwhile: nothing may begin any more.
      this.#assertOpen();
      const { registrations, listeners } = this.#registry;
      assertPortsFor(registrations, runtime);
      this.#worker = new Worker({
        runtime,
        registrations,
        listeners: [...listeners.values()],
        concurrency: this.#concurrency,
      });
      const schedules = [...this.#registry.schedules.values()];
      if (schedules.length > 0) scheduleStoreOf(runtime);
      const { scheduleStore } = runtime.ports;
      this.#scheduler = runtime.hasStore && scheduleStore ? new Scheduler(runtime, scheduleStore) : undefined;
      await Promise.all([this.#worker.start(), this.#scheduler?.start(schedules)]);
      // Who waited for it would take it for running.
      this.#assertOpen();
    } catch (error) {
      await this.stop({ timeoutMs: 0 });
      throw error;
    }
  }

  /**
   * Drains: takes nothing new, hands back what no handler was given, waits for the rest, and closes. What still runs after `timeoutMs` has its signal aborted; what
   * goes on even then keeps its leases until it ends or the process does. Idempotent.
   * @returns what was still running.
   */
  stop(options: { readonly timeoutMs?: number } = {}): Promise<{ readonly unfinished: readonly Unfinished[] }> {
    this.#stopping ??= this.#stop(options.timeoutMs ?? DEFAULTS.stopTimeoutMs);
    return this.#stopping;
  }

  /** How the app, its adapters and its listeners stand, for a health endpoint. Never rejects: an adapter that cannot say how it is counts as not connected. */
  async health(): Promise<AppHealth> {
    const adapters = await Promise.all(
      this.#adapters.map(async (adapter) => {
        try {
          return { name: adapter.name, ...(await adapter.health()) };
        } catch (error) {
          return { name: adapter.name, connected: false, detail: messageOf(error) };
        }
      }),
    );
    const listeners = Object.fromEntries(
      [...this.#registry.listeners].map(([name, listener]) => [name, listener.counts]),
    );
    return { state: this.#state, adapters, listeners, lostRunEvents: this.#runtime?.writer?.stats.lost ?? 0 };
  }

  async #stop(timeoutMs: number): Promise<{ readonly unfinished: readonly Unfinished[] }> {
    this.#state = "stopping";
    this.#onStop();
    // What is being opened has to be closed too.
    await this.#opening?.catch(() => undefined);
    const worker = this.#worker;
    const [unfinished = []] = await Promise.all([worker?.drain(timeoutMs), this.#scheduler?.stop(timeoutMs)]);
    if (unfinished.length === 0) await this.#close();
    else {
      // They go on, with their leases; when the last has ended, the connections go too.
      clearInterval(this.#keepAlive);
      void worker?.idle().then(() => this.#close());
    }
    return { unfinished };
  }

  /** Never rejects: nobody may be left to hear of it. */
  async #close(): Promise<void> {
    this.#worker?.close();
    this.#stopBridge?.();
    await this.#runtime?.close({ timeoutMs: 2_000 });
    await Promise.all(
      this.#adapters.map((adapter) =>
        adapter.close().catch((error: unknown) =>
          this.#surroundings.logger.warn(`adapter "${adapter.name}" could not be closed`, {
            error: messageOf(error),
          }),
        ),
      ),
    );
    clearInterval(this.#keepAlive);
    this.#state = "stopped";
  }

  #assertOpen(): void {
    const open =
      this.#state === "created" ||
      this.#state === "started" ||
      (this.#state === "stopping" && currentScope() !== undefined);
    if (!open) throw new IntermodalError("CLOSED", `the app is ${this.#state}; create a new one to send more`);
  }

  async #ready(): Promise<Runtime> {
    // After `stop()` nothing would close what is opened.
    if (this.#opening === undefined) this.#assertOpen();
    this.#opening ??= this.#open().then(
      ({ ports, adapters }) => {
        this.#adapters = adapters;
        this.#runtime = new Runtime(this.#surroundings, ports, (runtime) => void endLeftStreams(runtime));
        this.#stopBridge = bridgeNotifications(this.#runtime);
        return this.#runtime;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}

const NO_CAUSE = {};
