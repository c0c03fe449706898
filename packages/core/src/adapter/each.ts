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
 * Does something with the parts of a batch: beside each other those that are not too much together, else one load after the other. A part that fails as a whole stands for each of its
 * items, so that nobody is told of an item that was done that it was not. After a part that found the store away no other load is begun.
 * @param items Taken as their turn comes, so that heavy ones need not all be there at once.
 * @param most What parts that are under way weigh together; an item that weighs more goes alone.
 * @throws the failure where every part failed alike.
 */
export async function inParts<Item, Result>(
  items: Iterable<Item>,
  size: number,
  step: (part: readonly Item[]) => Promise<readonly Tried<Result>[]>,
  weigh: (item: Item) => number = () => 0,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly Tried<Result>[]> {
  const results: (readonly Tried<Result>[])[] = [];
  const failures: IntermodalError[] = [];
  const tryPart = async (part: readonly Item[]): Promise<readonly Tried<Result>[]> => {
    const away = failures.find(({ code }) => code === "UNAVAILABLE");
    try {
      if (away !== undefined) throw notBegun(away);
      return await step(part);
    } catch (error) {
      if (!(error instanceof IntermodalError)) throw error;
      failures.push(error);
      return part.map(() => error);
    }
  };
  for (const load of loadsOf(items, weigh, most))
    results.push(...(await Promise.all(partsOf(load, size).map(tryPart))));
  const [first] = failures;
  if (first !== undefined && failures.length === results.length && failures.every((one) => areAlike(one, first)))
    throw first;
  return results.flat();
}

function* loadsOf<Item>(items: Iterable<Item>, weigh: (item: Item) => number, most: number): Iterable<readonly Item[]> {
  let load: Item[] = [];
  let weight = 0;
  for (const item of items) {
    const itsWeight = weigh(item);
    if (load.length > 0 && weight + itsWeight > most) {
      yield load;
      load = [];
      weight = 0;
    }
    load.push(item);
    weight += itsWeight;
  }
  if (load.length > 0) yield load;
}

/** Cuts a batch into parts of a size at the most. */
export function partsOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const parts: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; from += size) parts.push(items.slice(from, from + size));
  return parts;
}

/** Whatever became of the parts before, of this one nothing has been done. */
function notBegun(failure: IntermodalError): IntermodalError {
  return failure.unknown ? new IntermodalError(failure.code, failure.message, { cause: failure }) : failure;
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
