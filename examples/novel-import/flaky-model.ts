import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Model, ModelBusyError, type ModelCall } from "./model.ts";

export interface FlakyModelOptions {
  /** The same seed fails the same calls. */
  readonly seed: number;
  /** Calls that may begin within any second; the next one is refused, and those after it wait. */
  readonly callsPerSecond: number;
  /**
   * Share of the calls that fail, from 0 to 1.
   * @default 0.05
   */
  readonly failureRate?: number | undefined;
  /**
   * How long a call takes, in milliseconds, from … to.
   * @default [20, 120]
   */
  readonly latencyMs?: readonly [from: number, to: number] | undefined;
  /** Texts for which no call ever succeeds. */
  readonly neverFor?: ((text: string) => boolean) | undefined;
}

/** Makes a model behave like one behind a network: slow, limited, and now and then failing. */
export function flakyModel(model: Model, options: FlakyModelOptions): Model {
  const { seed, callsPerSecond, failureRate = 0.05, latencyMs = [20, 120], neverFor } = options;
  const limit = new CallLimit(callsPerSecond);
  const calls = new Map<string, number>();

  const call = async <Answer>(
    what: string,
    text: string,
    signal: AbortSignal | undefined,
    answer: () => Promise<Answer>,
  ) => {
    await limit.begin(signal);
    const key = `${what}/${text}`;
    const count = (calls.get(key) ?? 0) + 1;
    calls.set(key, count);
    const [fate, slowness] = dice(`${seed}/${count}/${key}`);
    await sleep(latencyMs[0] + slowness * (latencyMs[1] - latencyMs[0]), undefined, { signal });
    if (neverFor?.(text)) throw new Error("the model refuses this text");
    if (fate < failureRate)
      throw new Error(fate < failureRate / 2 ? "model overloaded" : "connection to the model lost");
    return answer();
  };

  return {
    summarise: (text, asked) => call("summary", text, asked.signal, () => model.summarise(text, asked)),
    describeScene: (text, asked: ModelCall = {}) =>
      call("scene", text, asked.signal, () => model.describeScene(text, asked)),
  };
}

/** Two numbers from 0 up to 1 that depend on nothing but the text. */
function dice(text: string): [number, number] {
  const hash = createHash("sha256").update(text).digest();
  return [hash.readUInt32BE(0) / 2 ** 32, hash.readUInt32BE(4) / 2 ** 32];
}

const WINDOW_MS = 1_000;

/** So many calls in each second. The first one too many learns when to come back; others that come meanwhile wait for the next second. */
class CallLimit {
  readonly #callsPerSecond: number;
  #windowEnd = 0;
  #used = 0;
  #hasRefused = false;

  constructor(callsPerSecond: number) {
    this.#callsPerSecond = callsPerSecond;
  }

  /** @throws {ModelBusyError} */
  async begin(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const now = performance.now();
      if (now >= this.#windowEnd) {
        this.#windowEnd = now + WINDOW_MS;
        this.#used = 0;
        this.#hasRefused = false;
      }
      if (this.#used < this.#callsPerSecond) {
        this.#used++;
        return;
      }
      const remainingMs = Math.ceil(this.#windowEnd - now);
      if (!this.#hasRefused) {
        this.#hasRefused = true;
        throw new ModelBusyError(remainingMs, `too many calls: the model allows ${this.#callsPerSecond} a second`);
      }
      await sleep(remainingMs, undefined, { signal });
    }
  }
}
