import { IntermodalError } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import type { Msg, MsgCallback, NatsConnection } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import type { Connection } from "./connection.ts";
import { closed } from "./errors.ts";
import { Publisher } from "./publisher.ts";
import { Requests } from "./requests.ts";
import type { Topology } from "./topology.ts";

const TIMEOUT_MS = 10_000;
const utf8 = new TextEncoder();

/** @param answer What is answered to the n-th writing, from 1 on; nothing: its answer is lost. */
function stage(answer: (writing: number) => object | undefined, ensureAgain = async () => {}) {
  const clock = new VirtualClock();
  const requests = new Requests(clock);
  let callback: MsgCallback<Msg> = () => {};
  let writings = 0;
  const client = {
    subscribe(_subject: string, options: { callback: MsgCallback<Msg> }) {
      callback = options.callback;
      return { unsubscribe() {} };
    },
    publish(_subject: string, _payload: Uint8Array, { reply }: { reply: string }) {
      const answered = answer(++writings);
      if (answered !== undefined) clock.schedule(1, () => void callback(null, { subject: reply, ...answered } as Msg));
    },
    isClosed: () => false,
  };
  requests.up(client as unknown as NatsConnection, undefined);
  const connection = { isUp: true, requests, maxPayload: 1_048_576 } as unknown as Connection;
  const topology = { isEnsured: true, ensure: async () => {}, ensureAgain } as unknown as Topology;
  const publisher = new Publisher(connection, topology, clock, TIMEOUT_MS);
  const publish = () =>
    publisher.publish({
      what: "command a",
      stream: "S",
      subject: "im.test.cmd.a",
      messageId: "a",
      carried: { id: "a", type: "t", tries: 0 },
      body: new Uint8Array(1),
    });
  return { clock, requests, publish, writings: () => writings };
}

const NOBODY = { data: new Uint8Array(), headers: { code: 503 } };

function ack(fields: object) {
  return { data: utf8.encode("{}"), json: () => fields };
}

function refusal(err_code: number) {
  return ack({ error: { code: 503, err_code, description: "refused" } });
}

describe("a message whose first answer was lost, and which may therefore be held", () => {
  test.each([
    ["no stream takes it any more", NOBODY],
    ["it is refused", refusal(10_077)],
    ["it is on its way", refusal(10_158)],
  ])("is told to be so when later %s", async (_, later) => {
    const { clock, publish, writings } = stage((writing) => (writing === 1 ? undefined : later));
    const refused = expect(publish()).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    await clock.advance(TIMEOUT_MS + 1_000);
    await refused;
    expect(writings()).toBeGreaterThan(1);
  });

  test.each(["UNAVAILABLE", "CONFIG_INVALID"] as const)(
    "is told to be so when its stream is looked for: %s",
    async (code) => {
      const ensureAgain = () => Promise.reject(new IntermodalError(code, "no"));
      const { clock, publish } = stage((writing) => (writing === 1 ? undefined : NOBODY), ensureAgain);
      const refused = expect(publish()).rejects.toMatchObject({ code, unknown: true });
      await clock.advance(TIMEOUT_MS);
      await refused;
    },
  );

  test("is held when the repetition says so", async () => {
    const { clock, publish } = stage((writing) => (writing === 1 ? undefined : ack({ seq: 7, duplicate: true })));
    const held = publish();
    await clock.advance(3_000);
    expect(await held).toBe(7);
  });
});

test("what no stream took at any time is not held", async () => {
  const { clock, publish } = stage(() => NOBODY);
  const refused = expect(publish()).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
  await clock.advance(TIMEOUT_MS + 1_000);
  await refused;
});

describe("what waits for others to be confirmed first", () => {
  const MANY = 2_000;
  async function waiting(end: (of: ReturnType<typeof stage>) => Promise<void>) {
    const it = stage(() => undefined);
    const codes: string[] = [];
    for (let n = 0; n < MANY; n++) it.publish().catch(({ code }: IntermodalError) => codes.push(code));
    await it.clock.advance(100);
    await end(it);
    return { codes, writings: it.writings() };
  }

  test("ends with its own time", async () => {
    const { codes } = await waiting(({ clock }) => clock.advance(TIMEOUT_MS + 300));
    expect(codes).toEqual(Array.from({ length: MANY }, () => "UNAVAILABLE"));
  });

  test("ends with the connection, and is not written any more", async () => {
    const { codes, writings } = await waiting(async ({ clock, requests }) => {
      requests.end(closed);
      await clock.settle();
    });
    expect(codes).toEqual(Array.from({ length: MANY }, () => "CLOSED"));
    expect(writings).toBeLessThan(MANY);
  });
});
