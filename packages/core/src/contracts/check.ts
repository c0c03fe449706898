import { IntermodalError } from "../errors.ts";

/** @throws `CONFIG_INVALID` unless it is a number of milliseconds above 0. */
export function checkDuration(what: string, ms: number | undefined): void {
  if (ms === undefined || (Number.isFinite(ms) && ms > 0)) return;
  throw new IntermodalError("CONFIG_INVALID", `${what} must be a number of milliseconds above 0, not ${String(ms)}`);
}
