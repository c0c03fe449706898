import { expect, test } from "vitest";
import { API, connectFailure, refused } from "./errors.ts";
import { assertSupported, atLeast } from "./version.ts";

test.each([
  [API.storeFailed, 503, "maximum messages exceeded", "UNAVAILABLE", /raise its max_msgs/],
  [API.storeFailed, 503, "maximum bytes exceeded", "UNAVAILABLE", /raise its max_bytes/],
  [API.insufficientResources, 503, "insufficient resources", "UNAVAILABLE", /no room left/],
  [API.messageTooLarge, 400, "message size exceeds maximum allowed", "PAYLOAD_TOO_LARGE", /max_msg_size/],
  [API.notEnabledForAccount, 503, "JetStream not enabled for account", "CONFIG_INVALID", /-js/],
  [API.subjectsOverlap, 400, "subjects overlap with an existing stream", "CONFIG_INVALID", /another namespace/],
  [API.maximumStreams, 400, "maximum number of streams reached", "CONFIG_INVALID", /account's limit/],
  [10_008, 503, "JetStream system temporarily unavailable", "UNAVAILABLE", /temporarily/],
  [API.streamConfigInvalid, 500, "duplicates window can not be larger then max age", "CONFIG_INVALID", /larger then/],
  [API.replicasNotSupported, 500, "replicas > 1 not supported in non-clustered mode", "CONFIG_INVALID", /a cluster/],
  [API.storageExceeded, 500, "insufficient storage resources available", "UNAVAILABLE", /no room left/],
  [10_999, 400, "something is wrong with it", "CONFIG_INVALID", /something is wrong/],
] as const)("JetStream's refusal %i %i %s", (err_code, code, description, expected, says) => {
  const error = refused("command a", { err_code, code, description });
  expect([error.code, error.unknown]).toEqual([expected, false]);
  expect(error.message).toMatch(says);
});

test.each([
  [
    Object.assign(new Error("Authorization Violation"), { name: "AuthorizationError" }),
    "CONFIG_INVALID",
    /credentials/,
  ],
  [new Error("unexpected response from server"), "CONFIG_INVALID", /no NATS server/],
  [new Error("server does not support 'tls'"), "CONFIG_INVALID", /has no TLS/],
  [Object.assign(new Error("self-signed"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), "CONFIG_INVALID", /certificates/],
  [Object.assign(new Error("getaddrinfo ENOTFOUND a"), { code: "ENOTFOUND" }), "UNAVAILABLE", /a:4222/],
  [Object.assign(new Error("connection refused"), { name: "ConnectionError" }), "UNAVAILABLE", /refused/],
])("a failure to connect: %s", (failure, code, says) => {
  const error = connectFailure("a:4222", failure);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(says);
});

test("versions", () => {
  expect(
    ["2.10.0", "2.10.29", "v2.15.1", "3.0.0", "2.12.0-RC.1"].filter((version) => !atLeast(version, "2.10.0")),
  ).toEqual([]);
  expect(["2.9.25", "1.99.99", "", "unknown"].filter((version) => atLeast(version, "2.10.0"))).toEqual([]);
  expect(() => assertSupported("a:4222", "2.9.25")).toThrow(/a:4222 runs nats-server 2\.9\.25.*2\.10\.0/);
});
