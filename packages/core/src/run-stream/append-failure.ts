import { type BatchError, type IntermodalError, isIntermodalError } from "../errors.ts";

/** Where it may be stored already or will be later, the same events are sent again. */
export function mayComeBack(error: unknown): boolean {
  return isIntermodalError(error) && (error.unknown || error.code === "UNAVAILABLE" || error.code === "TIMEOUT");
}

/** The failures of a batch in its order; `undefined` where it failed as a whole. */
export function failuresOf(error: unknown): readonly (IntermodalError | undefined)[] | undefined {
  const { failures } = (isIntermodalError(error) ? error : {}) as Partial<BatchError>;
  return Array.isArray(failures) ? failures : undefined;
}
