import { describe, expect, test } from "vitest";
import { parseUrl } from "./url.ts";

describe("a URL", () => {
  test.each([
    ["mongodb:", "mongodb://127.0.0.1:27017", "intermodal"],
    ["mongodb://", "mongodb://127.0.0.1:27017", "intermodal"],
    ["mongodb://host", "mongodb://host", "intermodal"],
    ["mongodb://host/", "mongodb://host/", "intermodal"],
    ["mongodb://host:1/app", "mongodb://host:1/app", "app"],
    ["mongodb://a:1,b:2/app?replicaSet=rs0", "mongodb://a:1,b:2/app?replicaSet=rs0", "app"],
    ["mongodb://u:p%40ss@host/?tls=true", "mongodb://u:p%40ss@host/?tls=true", "intermodal"],
    ["mongodb://host?tls=true", "mongodb://host?tls=true", "intermodal"],
    ["mongodb+srv://host/%C3%BC", "mongodb+srv://host/%C3%BC", "ü"],
  ])("%s", (url, expected, database) => {
    expect(parseUrl(url)).toEqual({ url: expected, database });
  });

  test.each([
    "http://u:s3cret@host",
    "mongodb+srv:",
    "mongodb://u:s3cret@",
    "mongodb://u:s3cret@a,,b",
    "mongodb:///app",
    "mongodb://u:s3cret@host/a/b",
    "mongodb://u:s3cret@host/a.b",
    "mongodb://u:s3cret@host/%24x",
    "mongodb://u:s3cret@host/%zz",
    `mongodb://u:s3cret@host/${"x".repeat(64)}`,
  ])("%s is refused without being told", (url) => {
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.not.stringContaining("s3cret") }),
    );
  });
});
