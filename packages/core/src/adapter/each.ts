import { BatchError, IntermodalError } from "../errors.ts";

/** What became of one item of a batch: what it came to, or why it was refused. */
export type Tried<Result> = Result | IntermodalError;

/**
 * Does something with each item. An item that was refused before, or that `step` refuses by throwing an error of the SDK, does not stop the others; any
 * other error does.
 */
export function tryEach<Item, Result>(
  items: readonly Tried<Item>[],
  step: (item: Item) => Result,
): readonly Tried<Result>[] {
  const results: Tried<Result>[] = [];
  for (const item of items) {
    if (item instanceof IntermodalError) {
      results.push(item);
      continue;
    }
    try {
      results.push(step(item));
    } catch (error) {
      if (!(error instanceof IntermodalError)) throw error;
      results.push(error);
    }
  }
  return results;
}

/**
 * Does something with the parts of a batch, beside each other. A part that fails as a whole stands for each of its items, so that nobody is told of an item that was done that it was not.
 * @throws the failure where every part failed alike.
 */
export async function inParts<Item, Result>(
  items: readonly Item[],
  size: number,
  step: (part: readonly Item[]) => Promise<readonly Tried<Result>[]>,
): Promise<readonly Tried<Result>[]> {
  const parts: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; from += size) parts.push(items.slice(from, from + size));
  const failures: IntermodalError[] = [];
  const results = await Promise.all(
    parts.map(async (part): Promise<readonly Tried<Result>[]> => {
      try {
        return await step(part);
      } catch (error) {
        if (!(error instanceof IntermodalError)) throw error;
        failures.push(error);
        return part.map(() => error);
      }
    }),
  );
  const [first] = failures;
  if (first !== undefined && failures.length === parts.length && failures.every((one) => areAlike(one, first)))
    throw first;
  return results.flat();
}

function areAlike(one: IntermodalError, other: IntermodalError): boolean {
  return one.code === other.code && one.unknown === other.unknown;
}

/**
 * The answers of a batch.
 * @throws the refusal of a batch of one, or what a whole batch failed of; `BatchError` when items were refused each for itself.
 */
export function answersOf<Answer>(tried: readonly Tried<Answer>[]): readonly Answer[] {
  if (!tried.some(isRefusal)) return tried as readonly Answer[];
  const [first] = tried;
  if (tried.every((answer) => answer === first)) throw first;
  throw new BatchError(
    tried.map((answer) => (isRefusal(answer) ? answer : undefined)),
    tried.map((answer) => (isRefusal(answer) ? undefined : answer)),
  );
}

function isRefusal(answer: unknown): answer is IntermodalError {
  return answer instanceof IntermodalError;
}
