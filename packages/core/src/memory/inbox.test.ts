import { describe, expect, it } from "vitest";
import { InboxTable } from "./inbox-table.ts";
import { openStore } from "./store-fixture.ts";

const LEASE = { leaseMs: 100, node: "n1" };
const ELSEWHERE = { leaseMs: 100, node: "n2" };
const WINDOW = { windowMs: 1_000 };

describe("the inbox", () => {
  it("gives a message to one node until its reservation ends, is released, or the message is completed", async () => {
    const { inbox, clock } = openStore();
    expect(await inbox.reserve("l", "m", LEASE)).toBe("reserved");
    expect(await inbox.reserve("l", "m", ELSEWHERE)).toBe("busy");
    expect(await inbox.reserve("l", "m", LEASE)).toBe("reserved");
    await clock.advance(100);
    expect(await inbox.reserve("l", "m", ELSEWHERE)).toBe("reserved");
    await inbox.release("l", "m", LEASE);
    expect(await inbox.reserve("l", "m", LEASE)).toBe("busy");
    await inbox.release("l", "m", ELSEWHERE);
    expect(await inbox.reserve("l", "m", LEASE)).toBe("reserved");
    await inbox.complete("l", "m", WINDOW);
    expect(await inbox.reserve("l", "m", LEASE)).toBe("completed");
    await inbox.release("l", "m", LEASE);
    await clock.advance(999);
    expect(await inbox.reserve("l", "m", ELSEWHERE)).toBe("completed");
    await clock.advance(1);
    expect(await inbox.reserve("l", "m", ELSEWHERE)).toBe("reserved");
  });

  it("keeps listeners, ids and namespaces apart, whatever their characters", async () => {
    const { inbox, connect } = openStore();
    await inbox.complete("a", "b:c", WINDOW);
    expect(await inbox.reserve("a", "b:c", LEASE)).toBe("completed");
    expect(await inbox.reserve("a:b", "c", LEASE)).toBe("reserved");
    expect(await inbox.reserve("ab", ":c", LEASE)).toBe("reserved");
    expect(await inbox.reserve("", "1:ab:c", LEASE)).toBe("reserved");
    expect(await connect("other").inbox.reserve("a", "b:c", LEASE)).toBe("reserved");
    expect(await inbox.reserve("__proto__", "__proto__", LEASE)).toBe("reserved");
  });

  it("forgets what is past its window in the course of use", async () => {
    const { inbox, clock, store } = openStore();
    for (let index = 0; index < 50; index++) await inbox.complete("l", `old${index}`, WINDOW);
    await clock.advance(1_000);
    for (let index = 0; index < 60; index++) await inbox.reserve("l", `new${index}`, LEASE);
    expect(store.namespace("test").inbox.size).toBe(60);
  });

  it("beyond its cap forgets what was noted longest ago", () => {
    const table = new InboxTable(2);
    for (const id of ["a", "b", "a", "c"]) table.complete("l", id, 1_000, 0);
    expect(table.size).toBe(2);
    expect(["a", "c"].map((id) => table.reserve("l", id, LEASE, 1))).toEqual(["completed", "completed"]);
    expect(table.reserve("l", "b", LEASE, 1)).toBe("reserved");
  });

  it("rejects with CLOSED once closed", async () => {
    const { inbox, connection } = openStore();
    connection.close();
    await expect(inbox.reserve("l", "m", LEASE)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(inbox.complete("l", "m", WINDOW)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(inbox.release("l", "m", LEASE)).rejects.toMatchObject({ code: "CLOSED" });
  });
});
