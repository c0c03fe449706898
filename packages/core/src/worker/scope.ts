import { AsyncLocalStorage } from "node:async_hooks";

/** What log lines written inside a handler should carry. */
export interface LogContext {
  readonly task?: string | undefined;
  readonly run?: string | undefined;
  readonly event?: string | undefined;
  readonly attempt: number;
  readonly trace?: string | undefined;
}

export interface Scope {
  readonly log: LogContext;
  readonly traceparent: string | undefined;
  readonly correlationId: string | undefined;
  /** The task or event that runs. */
  readonly id: string;
}

const storage = new AsyncLocalStorage<Scope>();

export function runInScope<T>(scope: Scope, run: () => T): T {
  return storage.run(scope, run);
}

/** The scope of the handler that is running, if one is. */
export function currentScope(): Scope | undefined {
  return storage.getStore();
}

/**
 * The log context of the handler that is running: task, run, attempt and trace; empty outside of handlers. For a logger's mixin, so that a host's own
 * log lines carry it too.
 */
export function logContext(): Partial<LogContext> {
  return storage.getStore()?.log ?? {};
}
