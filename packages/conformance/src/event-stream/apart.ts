import { equal } from "../assert.ts";
import { HOSTILE_TEXTS } from "../task-state-store/hostile-values.ts";
import { openStream, streamCase } from "./stream.ts";

export const apartCases = [
  streamCase(
    "hostile-streams",
    ["ES-12"],
    "streams are apart, whatever characters their ids have",
    async (_t, stream) => {
      const appends = HOSTILE_TEXTS.map((streamId, at) => ({ streamId, events: [stream.event("w", 1, { data: at })] }));
      equal(
        await stream.port.append(appends),
        HOSTILE_TEXTS.map(() => [1]),
        "each begins at 1",
      );
      for (const [at, streamId] of HOSTILE_TEXTS.entries()) {
        const follower = stream.follow(streamId);
        await stream.finish(streamId);
        await follower.ended;
        equal(
          follower.events.map((event) => [event.streamId, event.sequence]),
          [
            [streamId, 1],
            [streamId, 2],
          ],
          `the stream ${JSON.stringify(streamId)}`,
        );
        equal(follower.events[0]?.data, at, "its data");
      }
    },
  ),

  streamCase("namespaces", ["ES-12"], "namespaces are apart", async (t, stream) => {
    const others = await Promise.all(
      ["x", "-x", ".x"].map((suffix) => openStream(t, { namespace: `${t.namespace}${suffix}` })),
    );
    const follower = stream.follow("s");
    await stream.write("s", "w", 1, 2);
    for (const other of others) {
      equal((await other.port.read("s")).last, 0, "the same id elsewhere");
      equal(await other.write("s", "w", 1, 1), [1], "the same event elsewhere is another");
      await other.finish("s");
    }
    await stream.finish("s");
    await follower.ended;
    equal(follower.sequences, [1, 2, 3], "what a follower is given");
  }),
];
