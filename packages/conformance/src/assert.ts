import { type ErrorCode, type IntermodalError, isIntermodalError } from "@intermodal/core/ports";

/** A promise was not kept. Carries `actual` and `expected` where there are some, so that runners can show the difference. */
export class AssertionError extends Error {
  override readonly name: string = "AssertionError";
  readonly actual: unknown;
  readonly expected: unknown;
  /** Runners look at this before they print a difference. */
  readonly showDiff: boolean;

  constructor(message: string, values?: { readonly actual: unknown; readonly expected: unknown }) {
    super(message);
    this.actual = values?.actual;
    this.expected = values?.expected;
    this.showDiff = values !== undefined;
  }
}

/** @throws {@link AssertionError} always. */
export function fail(message: string): never {
  throw new AssertionError(message);
}

/** @throws {@link AssertionError} when the condition is falsy. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) fail(message);
}

/**
 * Compares values by content: primitives as `Object.is`, arrays, plain objects, byte arrays, maps and sets by what they hold. A property that is
 * `undefined` is the same as a missing one.
 * @throws {@link AssertionError}.
 */
export function equal(actual: unknown, expected: unknown, message: string): void {
  if (sameContent(actual, expected)) return;
  throw new AssertionError(`${message}: expected ${show(expected)}, got ${show(actual)}`, { actual, expected });
}

/**
 * Checks that a promise rejects with an error of one of these codes.
 * @returns the error. @throws {@link AssertionError} when it resolves or rejects with anything else.
 */
export async function rejects(
  message: string,
  code: ErrorCode | readonly ErrorCode[],
  attempt: Promise<unknown> | (() => Promise<unknown> | undefined),
): Promise<IntermodalError> {
  const codes: readonly ErrorCode[] = typeof code === "string" ? [code] : code;
  let resolved: unknown;
  try {
    // A method that throws instead of rejecting is as good: callers await both the same way.
    resolved = await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    if (isIntermodalError(error) && codes.includes(error.code)) return error;
    const code = isIntermodalError(error) ? error.code : undefined;
    throw new AssertionError(`${message}: expected a rejection with ${codes.join(" or ")}, got ${String(error)}`, {
      actual: code ?? error,
      expected: codes[0],
    });
  }
  return fail(`${message}: expected a rejection with ${codes.join(" or ")}, but it resolved to ${show(resolved)}`);
}

function sameContent(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return sameBytes(a, b);
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameContent(item, b[at]))
    );
  }
  if (a instanceof Map || b instanceof Map) {
    return a instanceof Map && b instanceof Map && sameContent([...a].sort(byKey), [...b].sort(byKey));
  }
  if (a instanceof Set || b instanceof Set) {
    return a instanceof Set && b instanceof Set && a.size === b.size && [...a].every((item) => b.has(item));
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameContent(own(a, key), own(b, key)));
}

/** An own property only, so that keys such as `__proto__` and `constructor` are compared as what they are. */
function own(holder: object, key: string): unknown {
  return Object.hasOwn(holder, key) ? Reflect.get(holder, key) : undefined;
}

function byKey([a]: [unknown, unknown], [b]: [unknown, unknown]): number {
  return String(a) < String(b) ? -1 : 1;
}

function sameBytes(a: unknown, b: unknown): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

const LONGEST_SHOWN = 300;

function show(value: unknown): string {
  let text: string | undefined;
  try {
    text =
      value instanceof Uint8Array
        ? `${value.length} bytes`
        : value instanceof Error
          ? String(value)
          : JSON.stringify(value);
  } catch {
    text = undefined;
  }
  const shown = text ?? String(value);
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown;
}
