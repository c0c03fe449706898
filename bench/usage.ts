/** What whoever typed the arguments has to be told. */
export class BadUsageError extends Error {
  override readonly name = "BadUsageError";
}

/** What `parseArgs` throws counts too. */
export function isBadUsage(error: unknown): error is Error {
  return error instanceof BadUsageError || (error instanceof TypeError && /^ERR_PARSE_ARGS_/.test(codeOf(error)));
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** @throws {@link BadUsageError}. */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new BadUsageError(`--${name} must be a whole number from ${least}, not "${text}"`);
}
