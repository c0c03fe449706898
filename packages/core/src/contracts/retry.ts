import { IntermodalError } from "../errors.ts";

/** How long to wait before the next attempt. */
export interface Backoff {
  /**
   * @param attempt the number of the attempt that failed, from 1.
   * @param random gives numbers from 0 up to but without 1.
   * @returns milliseconds.
   */
  delayMs(attempt: number, random: () => number): number;
}

/** When and how often a failed attempt is followed by another. */
export interface RetryPolicy {
  /**
   * How many attempts there are in all; 1 means that none is repeated.
   * @default 5
   */
  readonly maxAttempts: number;
  /** @default `exponential()` */
  readonly backoff: Backoff;
  /** Says whether an error is worth another attempt. Every one is, except `NonRetryableError`, where this is absent. */
  readonly when?: ((error: unknown) => boolean) | undefined;
}

/** A policy of which the rest is {@link DEFAULT_RETRY}. */
export type RetryOptions = { readonly [K in keyof RetryPolicy]?: RetryPolicy[K] | undefined };

export interface ExponentialOptions {
  /**
   * The nominal delay after the first attempt, in milliseconds.
   * @default 1,000
   */
  readonly initialMs?: number | undefined;
  /**
   * The longest nominal delay, in milliseconds.
   * @default 300,000 (5 minutes)
   */
  readonly maxMs?: number | undefined;
  /**
   * By what each further delay is longer; at least 1.
   * @default 2
   */
  readonly factor?: number | undefined;
}

/**
 * Delays that grow by `factor` from `initialMs` up to `maxMs`. The actual delay lies between half of that and all of it, evenly spread, so that what failed
 * together does not come back together.
 * @throws `CONFIG_INVALID`.
 */
export function exponential(options: ExponentialOptions = {}): Backoff {
  const { initialMs = 1_000, maxMs = 300_000, factor = 2 } = options;
  check("initialMs", initialMs, initialMs >= 0);
  check("maxMs", maxMs, maxMs >= initialMs, `at least initialMs (${initialMs})`);
  check("factor", factor, factor >= 1, "at least 1");
  return {
    delayMs: (attempt, random) => jitter(Math.min(maxMs, initialMs * factor ** (Math.max(1, attempt) - 1)), random),
  };
}

/**
 * The same delay each time, exactly: for where a server says how long to stay away. What failed together comes back together.
 * @throws `CONFIG_INVALID`.
 */
export function fixed(ms: number): Backoff {
  check("ms", ms, ms >= 0);
  return { delayMs: () => ms };
}

function jitter(nominalMs: number, random: () => number): number {
  return Math.round(nominalMs * (0.5 + random() / 2));
}

/** What holds where a contract says nothing. */
export const DEFAULT_RETRY: RetryPolicy = Object.freeze({ maxAttempts: 5, backoff: exponential() });

/** @throws `CONFIG_INVALID`. */
export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  const { maxAttempts = DEFAULT_RETRY.maxAttempts, backoff = DEFAULT_RETRY.backoff, when } = options;
  check("retry.maxAttempts", maxAttempts, Number.isInteger(maxAttempts) && maxAttempts >= 1, "a whole number from 1");
  if (typeof backoff?.delayMs !== "function") {
    throw new IntermodalError(
      "CONFIG_INVALID",
      "retry.backoff must be a Backoff, such as exponential() or fixed(1_000)",
    );
  }
  return { maxAttempts, backoff, when };
}

function check(name: string, value: number, holds: boolean, wanted = "a number from 0"): void {
  if (Number.isFinite(value) && holds) return;
  throw new IntermodalError("CONFIG_INVALID", `${name} must be ${wanted}, not ${String(value)}`);
}
