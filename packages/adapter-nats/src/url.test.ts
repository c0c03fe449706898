import { describe, expect, test } from "vitest";
import { parseUrl } from "./url.ts";

describe("a URL", () => {
  test.each([
    ["nats:", { servers: ["127.0.0.1:4222"], tls: false }],
    ["nats://host", { servers: ["host:4222"] }],
    ["nats://host:80", { servers: ["host:80"] }],
    ["tls://host:4333/", { servers: ["host:4333"], tls: true }],
    ["nats://[::1]:4222", { servers: ["[::1]:4222"] }],
    ["nats://u:p%40ss%3A@host", { servers: ["host:4222"], user: "u", pass: "p@ss:" }],
    ["nats://t0ken@host", { servers: ["host:4222"], token: "t0ken" }],
    ["nats://u:p@a:1,b:2,nats://c:3", { servers: ["a:1", "b:2", "c:3"], user: "u", pass: "p" }],
  ])("%s", (url, expected) => {
    expect(parseUrl(url)).toMatchObject(expected);
  });

  test.each([
    "nats:u:s3cret@host",
    "nats://u:s3cret@",
    "nats://u:s3cret@host:99999",
    "nats://u:s3cret%zz@host",
    "nats://u:s3cret/x@host",
    "nats://host/path",
    "nats://host?x=1",
    "nats://a,,b",
    "http://host",
  ])("%s is refused without being told", (url) => {
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.not.stringContaining("s3cret") }),
    );
  });
});
