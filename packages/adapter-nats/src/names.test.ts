import { describe, expect, test } from "vitest";
import { Names, shorten } from "./names.ts";

describe("names", () => {
  test("read like what they are, for those who publish without this SDK", () => {
    const names = new Names("library");
    expect([names.tasks, names.events]).toEqual(["im_library_TASKS", "im_library_EVENTS"]);
    expect(names.queue("orders.eu").target).toBe("im.library.cmd.orders.eu");
    expect(names.event("book.created")).toBe("im.library.evt.book.created");
    expect(names.eventType("im.library.evt.book.created")).toBe("book.created");
    expect(names.eventType(names.listener("shop/reader").target)).toBe("");
  });

  test("no two namespaces, queues or listeners share one", () => {
    const parts = ["a", "a.b", "a-b", "a_b", "A", "b.a", "cmd", "a.cmd"];
    const all: string[] = [];
    for (const namespace of parts) {
      const names = new Names(namespace);
      all.push(names.tasks, names.events);
      for (const part of parts) {
        const { durable, target, dead, delayed } = names.queue(part);
        all.push(`${names.tasks}/${durable}`, target, dead, delayed);
        for (const service of parts) {
          const listener = names.listener(`${service}/${part}`);
          all.push(
            `${names.events}/${listener.durable}`,
            listener.target,
            listener.dead,
            listener.delayed,
            listener.mark,
          );
        }
      }
    }
    expect(new Set(all).size).toBe(all.length);
  });

  test("a namespace is one token, so that no stream takes another's subjects", () => {
    expect(new Names("a.b").prefix.split(".")).toHaveLength(2);
  });

  test("names of streams and consumers fit a folder, and stay apart", () => {
    const [long, longer] = ["x".repeat(300), `${"x".repeat(300)}y`];
    expect(shorten(long).length).toBeLessThanOrEqual(150);
    expect(shorten(long)).not.toBe(shorten(longer));
    expect(shorten(long)).not.toMatch(/[.*> /\\]/);
    expect(shorten("short")).toBe("short");
  });

  test("what is for one listener goes through the stream of events, the rest through the other", () => {
    const names = new Names("n");
    expect(names.streamOf(names.listener("s/l").target)).toBe(names.events);
    expect(names.streamOf(names.queue("again").target)).toBe(names.tasks);
  });
});
