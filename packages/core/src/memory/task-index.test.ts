import { expect, it } from "vitest";
import { newRecord } from "../lifecycle/transitions.ts";
import { draftOf } from "./store-fixture.ts";
import { TaskEntry } from "./task-entry.ts";
import { compare, TaskIndex } from "./task-index.ts";

it("stays in order through any joining, leaving and reading", () => {
  let state = 7;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const belonging = new Set<TaskEntry>();
  const index = new TaskIndex((entry) => belonging.has(entry));
  const entries = Array.from({ length: 120 }, (_, n) => {
    const createdAt = 1_000 + (n >> 1) - random(10);
    return new TaskEntry(newRecord(draftOf(`t${n}`, { createdAt }), 0));
  });
  for (let round = 0; round < 20_000; round++) {
    const entry = entries[Math.min(entries.length - 1, random(10) + ((round >> 5) % 110))] as TaskEntry;
    if (belonging.delete(entry)) index.left();
    else {
      belonging.add(entry);
      index.add(entry);
    }
    expect(index.size).toBe(belonging.size);
    if (random(20) > 0) continue;
    const expected = [...belonging].sort((a, b) => compare(b.record, a.record));
    expect([...index.newestFirst()]).toEqual(expected);
    expect(new Set(index.members())).toEqual(belonging);
    const below = entries[random(entries.length)]?.record;
    if (below === undefined) continue;
    expect([...index.newestFirst(below)]).toEqual(expected.filter(({ record }) => compare(record, below) < 0));
  }
});
