import { type App, type AppOptions, createApp, type Ports, silentLogger } from "@intermodal/core";
import type { Adapter, Clock, CommandBus, EventBus, EventStream, TaskStateStore } from "@intermodal/core/ports";
import { ProcessClock } from "@intermodal/core/testing";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";
import { SwitchedPorts } from "./switched-ports.ts";

export type FullAdapter = Adapter & {
  readonly commandBus: CommandBus;
  readonly eventBus: EventBus;
  readonly taskStateStore: TaskStateStore;
  readonly eventStream: EventStream;
};

export const LEASE_MS = 1_000;
export const SWEEP_MS = 250;
export const GRACE_MS = 1_000;

/** For everything to come right after a crash: the bus's lease and several of the store's, the sweep, and time to spare. */
export const RECOVERY_MS = 60_000;

export type ProcessOptions = Partial<Omit<AppOptions, "ports" | "clock">> & {
  /** Registers handlers and listeners. */
  readonly serve?: (app: App) => void;
  /** Ports it does without. */
  readonly omit?: readonly (keyof Ports)[];
  /** Fires schedules. The others do without them, so that nothing but what a case is about goes through their ports. */
  readonly fires?: boolean;
  /** @default the case's */
  readonly inNamespace?: string;
};

/** A process: an app over a client of its own, with a clock of its own. */
export class AppProcess {
  readonly app: App;
  readonly adapter: FullAdapter;
  readonly clock: ProcessClock;
  readonly switched: SwitchedPorts;
  readonly #t: CaseContext;
  readonly #name: string;
  readonly #waits = new Set<() => void>();
  #dead = false;
  #ending = false;

  constructor(t: CaseContext, name: string, adapter: FullAdapter, clock: ProcessClock, options: ProcessOptions) {
    const { serve, omit = [], fires = false, inNamespace = t.namespace, ...rest } = options;
    this.#t = t;
    this.#name = name;
    this.adapter = adapter;
    this.clock = clock;
    this.switched = new SwitchedPorts(adapter, {
      omitted: fires ? omit : [...omit, "scheduleStore"],
      during: (call, run) => this.#during(call.name, run),
    });
    this.app = createApp({
      name: "conformance",
      namespace: inNamespace,
      taskLeaseMs: LEASE_MS,
      sweep: { intervalMs: SWEEP_MS, graceMs: GRACE_MS },
      logger: silentLogger,
      ...rest,
      clock: this.clock,
      ports: this.switched.ports,
    });
    serve?.(this.app);
  }

  get isDead(): boolean {
    return this.#dead;
  }

  start(): Promise<void> {
    return this.#during("start", () => this.app.start());
  }

  /** The process ends between two instructions: nothing of it is ever seen again. */
  async kill(): Promise<void> {
    // Who is being stopped with the case would wait in vain for what the dead don't get.
    if (this.#dead || this.#ending) return;
    this.#dead = true;
    // What a dead process waits for is no news.
    for (const over of this.#waits) over();
    this.switched.die();
    // Frozen, not stopped: it is thawed when it is buried.
    this.clock.freeze();
    await this.#t.faults.kill(this.adapter);
  }

  /** Its event loop stands still: no timer fires, nothing comes in or goes out. */
  block(): void {
    this.clock.freeze();
    this.switched.block();
  }

  unblock(): void {
    this.switched.unblock();
    this.clock.thaw();
  }

  async end(): Promise<void> {
    this.#ending = true;
    if (this.#dead) this.switched.bury();
    this.unblock();
    await this.#during("stop", () => this.app.stop({ timeoutMs: 0 }));
    this.switched.bury();
    if (!this.#dead) await this.adapter.close();
    // What a handler left running must not go on beside the next case.
    this.clock.stop();
  }

  async #during<T>(what: string, run: () => Promise<T>): Promise<T> {
    const over = this.#t.waitsFor(`${what} of ${this.#name}`);
    this.#waits.add(over);
    try {
      return await run();
    } finally {
      this.#waits.delete(over);
      over();
    }
  }
}

/** The processes of one case. */
export class World {
  readonly t: CaseContext;
  readonly #processes: AppProcess[] = [];

  constructor(t: CaseContext) {
    this.t = t;
  }

  /** Another client of the server, without an app. */
  async open(namespace = this.t.namespace, clock: Clock = this.t.clock): Promise<FullAdapter> {
    const adapter = await this.t.open({ namespace, clock });
    for (const port of ["commandBus", "eventBus", "taskStateStore", "eventStream"] as const) {
      if (adapter[port] === undefined)
        this.t.skip(`${adapter.name} has no ${port}, and the life of a task needs all four`);
    }
    return adapter as FullAdapter;
  }

  /** A process that sends, but has not been started. */
  async process(options: ProcessOptions = {}): Promise<AppProcess> {
    const clock = new ProcessClock(this.t.clock);
    const adapter = await this.open(options.inNamespace, clock);
    const made = new AppProcess(this.t, `process ${this.#processes.length + 1}`, adapter, clock, options);
    this.#processes.push(made);
    return made;
  }

  /** A process that works: `serve` registers what it does. */
  async worker(serve: (app: App) => void, options: ProcessOptions = {}): Promise<AppProcess> {
    const worker = await this.process({ ...options, serve });
    await worker.start();
    return worker;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.end()));
  }
}

export interface LifecycleCase {
  /** The last part of the case's id. */
  readonly name: string;
  readonly guarantees: readonly string[];
  readonly title: string;
  readonly needs?: readonly FaultName[];
  run(world: World, t: CaseContext): Promise<void>;
}

/** A promise of the SDK on any bus and store. */
export function lifecycleCase(definition: LifecycleCase): ConformanceCase {
  const { name, guarantees, title, needs } = definition;
  return {
    id: `lifecycle/${name}`,
    subject: "lifecycle",
    guarantees,
    title,
    ...(needs && { needs }),
    run: async (t) => {
      const world = new World(t);
      try {
        await definition.run(world, t);
      } finally {
        await world.close();
      }
    },
  };
}
