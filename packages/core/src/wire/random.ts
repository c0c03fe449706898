/** Random bytes in batches: asking the system for a few at a time costs more than everything else about an id. */
const pool = new Uint8Array(8_192);
let next = pool.length;

/** A random number from 0 to 255. */
export function randomByte(): number {
  if (next === pool.length) {
    crypto.getRandomValues(pool);
    next = 0;
  }
  return pool[next++] as number;
}
