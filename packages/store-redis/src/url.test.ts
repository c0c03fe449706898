import { describe, expect, it } from "vitest";
import { parseUrl } from "./url.ts";

const local = { host: "127.0.0.1", port: 6379 };

describe("parseUrl", () => {
  it.each([
    ["redis:", { seeds: [local], db: 0, tls: false }],
    ["redis://", { seeds: [local], db: 0, tls: false }],
    ["redis://host", { seeds: [{ host: "host", port: 6379 }], db: 0, tls: false }],
    ["redis://host/", { seeds: [{ host: "host", port: 6379 }], db: 0, tls: false }],
    ["redis://host:80/7", { seeds: [{ host: "host", port: 80 }], db: 7, tls: false }],
    ["rediss://[::1]:6380", { seeds: [{ host: "::1", port: 6380 }], db: 0, tls: true }],
    [
      "redis://u%40:p%2Fw%2C@a:1,b:2,c",
      {
        seeds: [
          { host: "a", port: 1 },
          { host: "b", port: 2 },
          { host: "c", port: 6379 },
        ],
        username: "u@",
        password: "p/w,",
        db: 0,
        tls: false,
      },
    ],
    ["redis://:secret@host", { seeds: [{ host: "host", port: 6379 }], password: "secret", db: 0, tls: false }],
  ])("reads %s", (url, expected) => {
    expect(parseUrl(url)).toEqual(expected);
  });

  it.each([
    "http://host",
    "redis:u:secret@host",
    "redis://host:port",
    "redis://host:",
    "redis://a,,b",
    "redis://host/x",
    "redis://host/0/1",
    "redis://host?db=1",
    "redis://host#x",
    "redis://u:%E0@host",
  ])("refuses %s, and does not repeat it", (url) => {
    expect(() => parseUrl(`${url}`)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.not.stringContaining("%E0") }),
    );
  });
});
