import { silentLogger, systemClock } from "@intermodal/core/ports";
import { MongoClient, MongoNetworkError, MongoServerError } from "mongodb";
import { expect, it, onTestFinished, vi } from "vitest";
import { Connection } from "./connection.ts";
import { settingsOf } from "./options.ts";
import { Session } from "./session.ts";
import { parseUrl } from "./url.ts";

function open(url: string, client?: MongoClient) {
  const warn = vi.fn();
  const logger = { ...silentLogger, warn };
  const settings = settingsOf({ commandTimeoutMs: 500, ...(client !== undefined && { client }) });
  const connection = new Connection({ place: parseUrl(url), settings, name: "n", clock: systemClock, logger });
  const session = new Session(connection, settings, { namespace: "n", clock: systemClock, logger });
  return { connection, session, warn };
}

/** A client of the host's that gets connected when the test says so. */
function fakeClient() {
  const connect = Promise.withResolvers<void>();
  const hello = { localTime: new Date(), maxWireVersion: 21, isWritablePrimary: true };
  const db = { command: async () => hello, collection: () => ({}) };
  const client = { on() {}, off() {}, options: { hosts: [] }, db: () => db, connect: () => connect.promise };
  return { connect, client: client as unknown as MongoClient };
}

it("what waits for the first connection when it is closed does not happen", async () => {
  const { connect, client } = fakeClient();
  const { connection } = open("mongodb://host", client);
  const run = vi.fn();
  const call = connection.call("write", run);
  await connection.close();
  connect.resolve();
  await expect(call).rejects.toMatchObject({ code: "CLOSED", unknown: false });
  expect(run).not.toHaveBeenCalled();
});

it("nor does it when the adapter is closed and the connection stays, since others use it", async () => {
  const { connect, client } = fakeClient();
  const { session } = open("mongodb://host", client);
  session.topology.ensure = async () => {};
  const run = vi.fn();
  const call = session.call("write", { part: "p", indexes: [] }, run);
  session.close();
  connect.resolve();
  await expect(call).rejects.toMatchObject({ code: "CLOSED", unknown: false });
  expect(run).not.toHaveBeenCalled();
});

it("a client that gets connected while it is closed is closed again", async () => {
  const connected = Promise.withResolvers<MongoClient>();
  const calls: string[] = [];
  vi.spyOn(MongoClient.prototype, "connect").mockImplementation(() => connected.promise);
  vi.spyOn(MongoClient.prototype, "close").mockImplementation(async () => void calls.push("close"));
  onTestFinished(() => void vi.restoreAllMocks());
  const { connection } = open("mongodb://host");
  const call = connection.call("write", async () => {});
  const refused = expect(call).rejects.toMatchObject({ code: "CLOSED", unknown: false });
  const closed = connection.close().then(() => calls.push("closed"));
  await vi.waitFor(() => expect(calls).toEqual(["close"]));
  calls.push("connected");
  connected.reject(new MongoNetworkError("gone"));
  await Promise.all([refused, closed]);
  expect(calls).toEqual(["close", "connected", "close", "closed"]);
});

it("a refusal is an answer: only silence means that the server is away", async () => {
  const { connect, client } = fakeClient();
  const { connection, warn } = open("mongodb://host", client);
  connect.resolve();
  await connection.call("write", async () => {});
  const fails = (error: Error) => expect(connection.call("write", () => Promise.reject(error))).rejects.toThrow();
  await fails(new MongoServerError({ message: "disk full", code: 14031 }));
  await connection.call("write", async () => {});
  expect([warn.mock.calls.length, connection.generation]).toEqual([0, 1]);
  await fails(new MongoNetworkError("gone"));
  await connection.call("write", async () => {});
  expect([warn.mock.calls.length, connection.generation]).toEqual([1, 2]);
});
