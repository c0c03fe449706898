import { afterAll, beforeAll, describe, test } from "vitest";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { appendLikeMemory } from "./append-like-memory.ts";
import { MongoStage } from "./mongo-stage.ts";

const ROUNDS = process.env.INTERMODAL_SIZE === "full" ? 200 : 8;

const missing = await whyMissing("mongo");
const stage = new MongoStage();
let server: Server;

beforeAll(async () => {
  if (missing === undefined) server = await startServer("mongo");
});
afterAll(async () => {
  await stage.clear();
  await server?.close();
});

describe("appends of any order, repeated in any way", () => {
  test("are answered as the reference does", { timeout: 120_000 }, async (t) => {
    skipWithout(missing, t);
    await appendLikeMemory(() => stage.adapter(server.url, {}).eventStream, ROUNDS);
  });
});
