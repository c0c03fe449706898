import type { App } from "../app/app.ts";
import { createApp } from "../app/create-app.ts";
import type { AppOptions } from "../app/options.ts";
import type {
  AnyCommandContract,
  AnyEventContract,
  AnyTaskContract,
  CommandInput,
  EventData,
  TaskInput,
} from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { silentLogger } from "../ports/logger.ts";
import { cloudEventsCodec } from "../wire/codecs.ts";
import { decodeCommand } from "../wire/envelope.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { type PortName, WatchedPorts } from "./watched-ports.ts";

export type TestAppOptions = Omit<
  AppOptions,
  "clock" | "ports" | "adapters" | "url" | "commands" | "events" | "state" | "streams" | "name"
> & {
  /** @default "test" */
  readonly name?: string | undefined;
};

/** An app whose time and failures are the test's. */
export interface TestApp {
  readonly app: App;
  readonly clock: VirtualClock;
  /** Passes virtual time: runs what falls due in it, in order, and lets everything that it starts settle. */
  advance(ms: number): Promise<void>;
  /**
   * Resolves when no message is ready or being handled: what is left waits for its time (see `advance`). Virtual time does not pass; a handler that waits for real I/O is
   * waited for, in real time.
   * @throws `TIMEOUT` when something is still being handled after `withinMs` of real time.
   * @default withinMs 5,000
   */
  idle(options?: { readonly withinMs?: number | undefined }): Promise<void>;
  /**
   * The next `count` calls of a port reject with `UNAVAILABLE` before they have any effect.
   * @default count 1
   */
  failNext(port: PortName, count?: number): void;
  /** The inputs of every task or command of this contract that the broker has taken, in order, each sending of it. */
  sent<Contract extends AnyTaskContract>(contract: Contract): readonly TaskInput<Contract>[];
  sent<Contract extends AnyCommandContract>(contract: Contract): readonly CommandInput<Contract>[];
  /** The data of every event of this contract that the broker has taken, in order. */
  published<Contract extends AnyEventContract>(contract: Contract): readonly EventData<Contract>[];
}

/**
 * Makes an app over memory, on a virtual clock. Register and `start()` it as any other; nothing of it keeps a test process alive but an app that was started and
 * not stopped.
 */
export function createTestApp(options: TestAppOptions = {}): TestApp {
  const clock = new VirtualClock();
  const logger = options.logger ?? silentLogger;
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: options.namespace ?? "test", clock, logger });
  const { commandBus, eventBus, taskStateStore, eventStream, scheduleStore, rateLimiter, inbox } = adapter;
  const watched = new WatchedPorts({
    commandBus,
    eventBus,
    taskStateStore,
    eventStream,
    scheduleStore,
    rateLimiter,
    inbox,
  });
  const app = createApp({ name: "test", namespace: "test", ...options, logger, clock, ports: watched.ports });
  return {
    app,
    clock,
    advance: (ms) => clock.advance(ms),
    idle: (limit) => idle(clock, watched, limit?.withinMs ?? 5_000),
    failNext: (port, count = 1) => watched.failNext(port, count),
    sent: (contract: AnyTaskContract | AnyCommandContract) =>
      watched.sent.filter(({ type }) => type === contract.name).map(({ body }) => decodeCommand(body).data as never),
    published: (contract) => {
      const codec = options.codec ?? cloudEventsCodec;
      return watched.published
        .filter(({ type }) => type === contract.name)
        .map(({ body }) => codec.decode(body).data as never);
    },
  };
}

/** Real time that passes between two looks at handlers that wait for something real. */
const LOOK_AGAIN_MS = 1;

async function idle(clock: VirtualClock, watched: WatchedPorts, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    await clock.settle();
    const underWay = await watched.underWay();
    if (underWay === 0) return;
    if (performance.now() > deadline) {
      throw new IntermodalError(
        "TIMEOUT",
        `${underWay} messages are still ready or being handled after ${withinMs} ms; is the app started, and does every handler end?`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
