import { IntermodalError } from "@intermodal/core/ports";
import { describe, expect, it } from "vitest";
import { asIntermodal, connectFailure, isReply } from "./errors.ts";

/** As the driver makes it: with the command, and what it was called with. */
function reply(message: string): Error {
  const error = Object.assign(new Error(message), {
    command: { name: "hello", args: ["3", "AUTH", "default", "s3cret"] },
  });
  error.name = "ReplyError";
  return error;
}

describe("asIntermodal", () => {
  it.each([
    ["NOAUTH Authentication required.", "CONFIG_INVALID", false],
    ["WRONGPASS invalid username-password pair", "CONFIG_INVALID", false],
    ["NOPERM this user has no permissions", "CONFIG_INVALID", false],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "CONFIG_INVALID", false],
    ["MOVED 3999 127.0.0.1:6381", "CONFIG_INVALID", false],
    ["OOM command not allowed when used memory > 'maxmemory'.", "UNAVAILABLE", false],
    ["LOADING Redis is loading the dataset in memory", "UNAVAILABLE", false],
    ["BUSY Redis is busy running a script.", "UNAVAILABLE", false],
    ["CLUSTERDOWN The cluster is down", "UNAVAILABLE", false],
    ["READONLY You can't write against a read only replica.", "UNAVAILABLE", false],
    [
      "ERR Error running script (call to f_7b1): @user_script:4: @user_script: 4: -READONLY You can't write against a read only replica.",
      "UNAVAILABLE",
      false,
    ],
    [
      "ERR Error running script (call to f_7b1): @user_script:9: @user_script: 9: -NOPERM this user has no permissions",
      "CONFIG_INVALID",
      true,
    ],
    [
      "ERR ACL failure in script: User app has no permissions to run the 'time' command script: 7, on @user_script:3.",
      "CONFIG_INVALID",
      true,
    ],
    [
      "ERR The user executing the script can't run this command or subcommand script: 7, on @user_script:3.",
      "CONFIG_INVALID",
      true,
    ],
    ["ERR user_script:3: Wrong number of args script: 7, on @user_script:3.", "UNAVAILABLE", true],
  ])("%s", (message, code, unknown) => {
    const error = asIntermodal("append", reply(message));
    expect([error.code, error.unknown]).toEqual([code, unknown]);
    expect(error.message).toMatch(/^append: /);
  });

  it.each([
    ["Connection is closed.", true],
    ["Stream isn't writeable and enableOfflineQueue options is false", false],
    ["Cluster isn't ready and enableOfflineQueue options is false", false],
    [
      "Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request during rehashing of slot",
      false,
    ],
    ["Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN Hash slot not served", false],
    ["Too many Cluster redirections. Last error: ReplyError: MOVED 42 127.0.0.1:7001", false],
    ["Too many Cluster redirections. Last error: ReplyError: NOSCRIPT No matching script. Please use EVAL.", false],
    ["Too many Cluster redirections. Last error: Error: Connection is closed.", true],
  ])("what the driver says by itself: %s", (message, unknown) => {
    expect(asIntermodal("read", new Error(message))).toMatchObject({ code: "UNAVAILABLE", unknown });
  });

  it("knows what a script met on servers before Redis 7, which say so in words of their own", () => {
    const inScript = (kind: string) =>
      reply(`ERR Error running script (call to f_7b1): @user_script:4: @user_script: 4: -${kind} no`);
    expect([isReply(inScript("READONLY"), "READONLY"), isReply(inScript("OOM"), "READONLY")]).toEqual([true, false]);
  });

  it("leaves errors of the SDK as they are", () => {
    const error = new IntermodalError("CLOSED", "closed");
    expect(asIntermodal("read", error)).toBe(error);
  });

  it("carries nothing of the command's arguments", () => {
    for (const error of [
      asIntermodal("connect", reply("ERR no")),
      connectFailure("host:6379", reply("WRONGPASS no")),
      connectFailure("host:6379", Object.assign(reply("x"), { name: "Error", code: "ECONNRESET" })),
    ]) {
      expect(JSON.stringify({ ...error, cause: { ...(error.cause as Error) } })).not.toContain("s3cret");
      expect((error.cause as { command?: unknown }).command).toBeUndefined();
    }
  });
});

it("what no further attempt can cure is told apart", () => {
  const tls = Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  expect(connectFailure("host:6379", tls)).toMatchObject({ code: "CONFIG_INVALID" });
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(connectFailure("host:6379", refused)).toMatchObject({ code: "UNAVAILABLE", unknown: false });
});
