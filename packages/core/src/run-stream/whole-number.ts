/** Reads a sequence or another number from 0 that a program wrote; `undefined` for whatever else it is: signs, exponents, spaces, what no `number` can hold. */
export function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
