import { expect, it } from "vitest";
import { Fifo } from "./fifo.ts";

it("keeps order while it wraps around and grows", () => {
  const fifo = new Fifo<number>();
  const taken: number[] = [];
  let next = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 7; i++) fifo.push(next++);
    for (let i = 0; i < 4; i++) taken.push(fifo.shift() as number);
  }
  expect(fifo.length).toBe(600);
  expect(fifo.at(0)).toBe(800);
  expect(fifo.at(599)).toBe(1_399);
  expect(fifo.at(600)).toBeUndefined();
  for (let item = fifo.shift(); item !== undefined; item = fifo.shift()) taken.push(item);
  expect(taken).toEqual(Array.from({ length: 1_400 }, (_, i) => i));
  expect(fifo.at(0)).toBeUndefined();
});
