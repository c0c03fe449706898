import { BatchError, IntermodalError, isIntermodalError, messageOf } from "../errors.ts";

/**
 * @throws the first failure when all items failed. @throws {BatchError} when some did.
 */
export function assertAllTaken(failures: readonly (IntermodalError | undefined)[] | undefined): void {
  const first = failures?.find((failure) => failure !== undefined);
  if (failures === undefined || first === undefined) return;
  throw failures.includes(undefined) ? new BatchError(failures) : first;
}

/**
 * Waits for every item of a batch, each of which fails for itself.
 * @throws as {@link assertAllTaken}; what is no error of the SDK counts as `UNAVAILABLE`.
 */
export async function takeAll(items: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(items);
  if (results.every(({ status }) => status === "fulfilled")) return;
  assertAllTaken(
    results.map((result) => {
      if (result.status === "fulfilled") return undefined;
      const { reason } = result;
      return isIntermodalError(reason)
        ? reason
        : new IntermodalError("UNAVAILABLE", messageOf(reason), { cause: reason, unknown: true });
    }),
  );
}
