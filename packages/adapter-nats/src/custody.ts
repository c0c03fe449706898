import { sleep } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import type { PlaceNames } from "./names.ts";
import type { Session } from "./session.ts";
import type { Held, Raw } from "./settlement.ts";

export interface CustodyOptions {
  readonly session: Session;
  readonly what: string;
  readonly place: PlaceNames;
  /** The clock's, had it never been set back. */
  readonly time: () => number;
  /** Told when the durable was made that there is; undefined when there is none. What another one delivered is lost. */
  readonly onSeen: (created: string | undefined) => void;
  /** It is not the one that was attached to. */
  readonly onOther: () => void;
}

/** What came or was looked at within this time is settled without another look. */
const KNOWN_MS = 500;
const LOOK_AGAIN_MS = 250;

/**
 * Knows whether a durable still is the one that delivered what is held. Acknowledgements name no more than durable and number, so that of one that was deleted and
 * made anew they would take somebody else's message.
 */
export class Custody {
  readonly #options: CustodyOptions;
  #durableCreated = "";
  #looking: Promise<ConsumerInfo | undefined> | undefined;
  /** On which connection, and when, the durable was seen. */
  #seenOn = -1;
  #seenAt = 0;

  constructor(options: CustodyOptions) {
    this.#options = options;
  }

  /** When the durable was made that is attached to. */
  get durableCreated(): string {
    return this.#durableCreated;
  }

  attached({ created }: ConsumerInfo): void {
    this.#durableCreated = created;
    this.#see(created);
  }

  /** The next settlement is preceded by a look. */
  doubt(): void {
    this.#seenOn = -1;
  }

  /** Resolves once it is known that a delivery is still held here, or that it is lost. Asks the server only after long handlers and faults. */
  async assure(delivery: Held, { inDoubt = false } = {}): Promise<void> {
    if (inDoubt) {
      this.doubt();
      await sleep(this.#options.session.clock, LOOK_AGAIN_MS, delivery.signal);
    }
    while (!delivery.isLost && !this.#isKnown(delivery.raw)) {
      const pause = sleep(this.#options.session.clock, LOOK_AGAIN_MS, delivery.signal);
      const info = await Promise.race([this.look(), pause]);
      if (info === undefined) await pause;
    }
  }

  /** How the durable stands; undefined when there is none or it can't be told. */
  look(): Promise<ConsumerInfo | undefined> {
    this.#looking ??= this.#look()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  #isKnown({ takenAt }: Raw): boolean {
    const { session, time } = this.#options;
    const { connection } = session;
    if (!connection.isUp || connection.generation !== this.#seenOn) return false;
    return time() - Math.max(takenAt, this.#seenAt) < KNOWN_MS;
  }

  async #look(): Promise<ConsumerInfo | undefined> {
    const { session, what, place, onOther } = this.#options;
    const { api, connection, settings } = session;
    await connection.ready(what, settings.sendTimeoutMs);
    const { generation } = connection;
    const created = this.#durableCreated;
    const info = await api.consumerInfo(place.stream, place.durable);
    // It may tell how things stood before.
    if (connection.generation !== generation || this.#durableCreated !== created) return undefined;
    this.#see(info?.created);
    if (info?.created !== created) onOther();
    return info;
  }

  #see(created: string | undefined): void {
    const { session, time, onSeen } = this.#options;
    this.#seenOn = session.connection.generation;
    this.#seenAt = time();
    onSeen(created);
  }
}
