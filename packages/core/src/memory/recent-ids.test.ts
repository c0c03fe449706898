import { describe, expect, it } from "vitest";
import { RecentIds } from "./recent-ids.ts";

describe("RecentIds", () => {
  it("recognises an id for exactly its window, counted from the first time", () => {
    const ids = new RecentIds(100);
    expect(ids.seen("a", 1_000)).toBe(false);
    expect(ids.seen("b", 1_060)).toBe(false);
    expect(ids.seen("a", 1_099)).toBe(true);
    expect(ids.seen("a", 1_100)).toBe(false);
    expect(ids.seen("b", 1_159)).toBe(true);
    expect(ids.seen("b", 1_160)).toBe(false);
    expect(ids.seen("a", 1_199)).toBe(true);
  });

  it("holds a bounded number of ids, the newest at the least", () => {
    const ids = new RecentIds(1_000_000, 10);
    for (let i = 0; i < 100; i++) expect(ids.seen(String(i), i)).toBe(false);
    for (let i = 90; i < 100; i++) expect(ids.seen(String(i), 100)).toBe(true);
    expect(ids.seen("0", 100)).toBe(false);
  });
});
