import type { TestContext } from "vitest";

/** Ends a test that lacks what it needs: skipped, with what to install; with `CI` set it fails. */
export function skipWithout(missing: string | undefined, { skip }: Pick<TestContext, "skip">): void {
  if (missing === undefined) return;
  if (process.env.CI) throw new Error(missing);
  skip(missing);
}
