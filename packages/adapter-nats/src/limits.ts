import { IntermodalError } from "@intermodal/core/ports";
import { told } from "./api.ts";
import type { Session } from "./session.ts";

/** Beyond this share of a limit only what settles messages is stored. */
const SHARE = 0.9;
const LOOK_MS = 1_000;

/** @throws `PAYLOAD_TOO_LARGE`. */
export function assertFits(what: string, body: Uint8Array, maxPayloadBytes: number): void {
  if (body.length <= maxPayloadBytes) return;
  throw new IntermodalError(
    "PAYLOAD_TOO_LARGE",
    `${what} has ${body.length} bytes, the server takes ${maxPayloadBytes} besides headers: send a reference instead, or raise max_payload`,
  );
}

/**
 * Stops ordinary sends below the limits of TASKS, where it has any, so that retries and dead letters always find room: a stream that is full of messages which
 * can't be put aside would never be worked off.
 */
export class SoftLimit {
  readonly #session: Session;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #messages = 0;
  #bytes = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Known once the stream is; before that the stream itself refuses. */
  get isSet(): boolean {
    const config = this.#session.topology.tasks?.config;
    return config !== undefined && (config.max_msgs > 0 || config.max_bytes > 0);
  }

  /** @throws `UNAVAILABLE`. */
  async admit(what: string, bytes: number): Promise<void> {
    const { clock, topology, names } = this.#session;
    const sinceMs = clock.now() - this.#lookedAt;
    // Below 0 when the clock was set back.
    if (sinceMs < 0 || sinceMs > LOOK_MS) {
      this.#looking ??= this.#look(what).finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    this.#messages++;
    this.#bytes += bytes;
    const { max_msgs = -1, max_bytes = -1 } = topology.tasks?.config ?? {};
    const full =
      (max_msgs > 0 && this.#messages > SHARE * max_msgs && `max_msgs of ${max_msgs}`) ||
      (max_bytes > 0 && this.#bytes > SHARE * max_bytes && `max_bytes of ${max_bytes}`);
    if (full === false) return;
    throw new IntermodalError(
      "UNAVAILABLE",
      `${what}: the stream ${names.tasks} has reached ${SHARE * 100} % of its ${full}; raise the limit or work it off`,
    );
  }

  async #look(what: string): Promise<void> {
    const { api, names, clock } = this.#session;
    const info = await told(what, api.streamInfo(names.tasks));
    this.#lookedAt = clock.now();
    this.#messages = info?.state.messages ?? 0;
    this.#bytes = info?.state.bytes ?? 0;
  }
}
