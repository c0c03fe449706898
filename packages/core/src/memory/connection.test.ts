import { describe, expect, it } from "vitest";
import { MemoryConnection } from "./connection.ts";

describe("MemoryConnection", () => {
  it("is back only when the link is mended and the server has started", async () => {
    const connection = new MemoryConnection();
    const told: string[] = [];
    connection.onLost(() => told.push("lost"));
    connection.onBack(() => told.push("back"));
    connection.cut();
    connection.serverStopped();
    connection.mend();
    await expect(connection.call("ask", () => 1)).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
    connection.cut();
    connection.serverStarted();
    expect(connection.isUp).toBe(false);
    connection.mend();
    expect(await connection.call("ask", () => 1)).toBe(1);
    expect(told).toEqual(["lost", "back"]);
  });

  it("says that the effect is unknown when only the answer was lost", async () => {
    const connection = new MemoryConnection();
    let effects = 0;
    connection.loseAnswers(1);
    await expect(connection.call("ask", () => ++effects)).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    expect(await connection.call("ask", () => ++effects)).toBe(2);
    const cutOnTheWay = connection.call("ask", () => {
      connection.cut();
      return ++effects;
    });
    await expect(cutOnTheWay).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    expect(effects).toBe(3);
  });

  it("brings neither an effect nor an answer once its process is dead", async () => {
    const connection = new MemoryConnection();
    let effects = 0;
    let answered = false;
    const asking = connection
      .call("ask", () => ++effects)
      .finally(() => {
        answered = true;
      });
    connection.kill();
    connection.close();
    await Promise.race([asking, new Promise((resolve) => setImmediate(resolve))]);
    expect([effects, answered]).toEqual([0, false]);
  });

  it("refuses everything once closed", async () => {
    const connection = new MemoryConnection();
    connection.close();
    await expect(connection.call("ask", () => 1)).rejects.toMatchObject({ code: "CLOSED" });
  });
});
