import { BatchError, IntermodalError, isIntermodalError } from "../errors.ts";

/** An item of a batch that was refused. */
export type Refusal = IntermodalError;

/** What `step` makes of an item, or why it refuses it. Anything but an error of the SDK is a fault and is thrown. */
export function attempt<Result>(step: () => Result): Result | Refusal {
  try {
    return step();
  } catch (error) {
    if (isIntermodalError(error)) return error as IntermodalError;
    throw error;
  }
}

/**
 * The answers of a batch.
 * @throws the refusal of a batch of one; `BatchError` when some items of a longer one were refused.
 */
export function answersOf<Answer>(answers: readonly (Answer | Refusal)[]): readonly Answer[] {
  if (!answers.some(isRefusal)) return answers as readonly Answer[];
  if (answers.length === 1) throw answers[0];
  throw new BatchError(answers.map((answer) => (isRefusal(answer) ? answer : undefined)));
}

export function isRefusal(answer: unknown): answer is Refusal {
  return answer instanceof IntermodalError;
}
