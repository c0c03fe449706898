import { describe, expect, it } from "vitest";
import { DeadLetterBox } from "./dead-letter-box.ts";

function boxOf(count: number, max = 1_000): DeadLetterBox {
  const box = new DeadLetterBox(max);
  for (let i = 1; i <= count; i++) {
    box.add({ id: `m${i}`, type: "t", body: new Uint8Array(), reason: "r", attempts: 1, deadAt: i });
  }
  return box;
}

describe("DeadLetterBox", () => {
  it("lists in pages that neither repeat nor hide what stays, whatever is taken between them", () => {
    const box = boxOf(10);
    const first = box.list({ limit: 4 });
    expect(first.items.map((letter) => letter.id)).toEqual(["m1", "m2", "m3", "m4"]);
    expect(box.take([...first.items.slice(2).map((letter) => letter.deadLetterId), "6", "nothing"])).toHaveLength(3);
    const second = box.list({ limit: 4, cursor: first.next });
    expect(second.items.map((letter) => letter.id)).toEqual(["m5", "m7", "m8", "m9"]);
    const last = box.list({ limit: 4, cursor: second.next });
    expect(last.items.map((letter) => letter.id)).toEqual(["m10"]);
    expect(last.next).toBeUndefined();
    expect(box.size).toBe(7);
  });

  it("has no next page when the limit is met exactly", () => {
    expect(boxOf(4).list({ limit: 4 }).next).toBeUndefined();
  });

  it("drops and counts the oldest beyond its bound", () => {
    const box = boxOf(15, 10);
    expect(box.size).toBe(10);
    expect(box.dropped).toBe(5);
    expect(box.list({ limit: 1 }).items[0]?.id).toBe("m6");
    expect(box.take(["1"])).toEqual([]);
  });

  it("refuses a cursor that it never gave", () => {
    expect(() => boxOf(1).list({ cursor: "here" })).toThrow(expect.objectContaining({ code: "CURSOR_INVALID" }));
  });
});
