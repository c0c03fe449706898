import { messageOf } from "../errors.ts";
import type { TaskErrorInfo, TerminalStatus } from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";
import type { Logger } from "../ports/logger.ts";

/** What all notifications tell of the task. */
export interface TaskNotification {
  readonly taskId: string;
  readonly type: string;
  readonly queue: string;
  readonly runId: string;
  readonly parentId?: string | undefined;
  readonly userId?: string | undefined;
  readonly series: number;
  /** The stream that the run's events go to. */
  readonly streamId: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** What is told of one attempt. */
export interface AttemptNotification extends TaskNotification {
  readonly attempt: number;
  readonly maxAttempts: number;
}

/** What happens to tasks in this process, by name. */
export interface LifecycleNotifications {
  readonly submitted: TaskNotification;
  readonly started: AttemptNotification;
  readonly progress: TaskNotification & { readonly progress: JsonValue };
  readonly retrying: AttemptNotification & { readonly error: TaskErrorInfo; readonly delayMs: number };
  /** COMPLETED or COMPLETED_WITH_ERRORS. */
  readonly completed: TaskNotification & { readonly status: TerminalStatus };
  /** FAILED, CANCELLED or DEAD_LETTER. */
  readonly failed: TaskNotification & { readonly status: TerminalStatus; readonly error?: TaskErrorInfo | undefined };
}

/** What a notification is called. */
export type LifecycleName = keyof LifecycleNotifications;
type Listener<Name extends LifecycleName> = (notification: LifecycleNotifications[Name]) => void;

/** Typed notifications inside this process. A listener that throws is logged and disturbs nobody. */
export class LifecycleEmitter {
  readonly #logger: Logger;
  readonly #listeners = new Map<LifecycleName, Set<Listener<never>>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Calls `listener` at each notification of this name, synchronously; it should not take long. @returns stops listening. */
  on<Name extends LifecycleName>(name: Name, listener: Listener<Name>): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    listeners.add(listener as Listener<never>);
    return () => listeners.delete(listener as Listener<never>);
  }

  /** Tells every listener. The SDK's own to call. */
  emit<Name extends LifecycleName>(name: Name, notification: LifecycleNotifications[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      tell(listener as Listener<Name>, notification, this.#logger, name);
    }
  }
}

/** Calls a function of the application's that nothing depends on: whether it throws or rejects, it is logged and disturbs nobody. */
export function tell<T>(listener: (about: T) => unknown, about: T, logger: Logger, what: string): void {
  try {
    const returned = listener(about);
    if (returned instanceof Promise) returned.catch((error: unknown) => noteFailed(error, logger, what));
  } catch (error) {
    noteFailed(error, logger, what);
  }
}

function noteFailed(error: unknown, logger: Logger, what: string): void {
  logger.error(`a listener of "${what}" failed`, { error: messageOf(error) });
}
