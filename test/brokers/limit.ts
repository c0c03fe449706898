/** Runs something in its turn, or in the next one. */
export type Turn = <T>(run: () => Promise<T>, options?: { readonly next?: boolean | undefined }) => Promise<T>;

/** @returns runs what it is given, at most `most` at once. */
export function limit(most: number): Turn {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (run, { next = false } = {}) => {
    if (running >= most)
      await new Promise<void>((resolve) => (next ? waiting.unshift(resolve) : waiting.push(resolve)));
    else running++;
    try {
      return await run();
    } finally {
      const begin = waiting.shift();
      if (begin === undefined) running--;
      else begin();
    }
  };
}
