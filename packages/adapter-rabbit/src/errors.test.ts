import { describe, expect, test } from "vitest";
import { channelFailure, connectFailure, tooLarge } from "./errors.ts";

const SERVER = "RabbitMQ at amqp://host:5672";

describe("why a connection could not be made", () => {
  test.each([
    [
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      "credentials",
    ],
    ["Expected ConnectionOpenOk; got <ConnectionClose channel:0>", "virtual host"],
    ["SASL mechanism PLAIN is not provided by the server", "log in"],
    ["Frame size 1327528738 exceeds maxFrameSize 67108864", "does not speak AMQP"],
    ["Expected ConnectionStart; got <Heartbeat>", "does not speak AMQP"],
    ["self-signed certificate in certificate chain", "TLS failed"],
    ["error:0A00010B:SSL routines:tls_validate_record_header:wrong version number", "TLS failed"],
  ])("cannot be cured by trying again: %s", (message, cure) => {
    const failure = connectFailure(SERVER, new Error(message));
    expect([failure.code, failure.message]).toEqual(["CONFIG_INVALID", expect.stringContaining(cure)]);
  });

  test.each([
    "connect ECONNREFUSED 127.0.0.1:5672",
    "Socket closed abruptly during opening handshake",
    "connect ETIMEDOUT",
  ])("may pass: %s", (message) => {
    expect(connectFailure(SERVER, new Error(message)).code).toBe("UNAVAILABLE");
  });

  test("holds no credentials", () => {
    const { message, cause } = connectFailure(SERVER, new Error("no way to amqp://me:secret@host"));
    expect(message + (cause as Error).message + (cause as Error).stack).not.toContain("secret");
  });
});

describe("why the broker refused", () => {
  test("names the queue, the argument and both values where something exists otherwise", () => {
    const reply = `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'exp.q' in vhost '/': received '7' but current is '1000000'"`;
    const { code, message } = channelFailure("declaring exp.q", new Error(reply));
    expect(code).toBe("CONFIG_INVALID");
    expect(message).toMatch(
      /^queue exp.q exists with another x-delivery-limit: received '7' but current is '1000000'\./,
    );
  });

  test("says what a user may not do", () => {
    const reply = `403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - configure access to queue 'q' refused for user 'u'"`;
    expect(channelFailure("declaring q", new Error(reply)).code).toBe("CONFIG_INVALID");
  });

  test.each(["configured max size", "max size"])("tells the size that it takes, as its %s", (limit) => {
    const reply = `PRECONDITION_FAILED - message size 17825792 is larger than ${limit} 16777216`;
    expect(tooLarge(new Error(reply))).toEqual({ bytes: 17_825_792, limit: 16_777_216 });
    expect(tooLarge(new Error("channel closed"))).toBeUndefined();
  });
});
