import { isIntermodalError, messageOf } from "../errors.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import { ACK, type Settlement } from "../ports/delivery.ts";
import type { Inbox } from "../ports/inbox.ts";
import type { Logger } from "../ports/logger.ts";
import { isIncurable } from "../workflow/send-record.ts";
import { comeBack, STORE_AWAY_DELAY_MS } from "./come-back.ts";

/** Waits between the tries to record that an event was handled, within one lease. */
const RETRY_DELAYS_MS = [100, 300, 1_000, 3_000, 5_000];
/** Beyond this many, the completions owed for longest are forgotten. */
const MAX_OWED = 10_000;

export interface ListenerInboxOptions {
  readonly inbox: Inbox;
  /** The listener's key. */
  readonly place: string;
  /** How long a reservation stays with a process that stopped renewing it. */
  readonly leaseMs: number;
  /** How long a completion is remembered. */
  readonly windowMs: number;
  /** Names this process. */
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The inbox as one listener of a process uses it. It keeps processes apart; what keeps two copies of an event apart within one, and what an outage of the
 * inbox would lose, is remembered here.
 */
export class ListenerInbox {
  readonly #options: ListenerInboxOptions;
  /** Ids that are being handled here: to the inbox their copies are the same process again. */
  readonly #inHand = new Set<string>();
  /** Ids whose handler has ended though that could not be recorded, the oldest first, with how long they are remembered. */
  readonly #owed = new Map<string, number>();

  constructor(options: ListenerInboxOptions) {
    this.#options = options;
  }

  /**
   * Handles an event unless that was done within the window, or is under way here or elsewhere: then it comes back later.
   * @param run handles it; never rejects.
   * @throws what the inbox can never record, and what is no error of the SDK.
   */
  async once(id: string, run: () => Promise<Settlement>): Promise<Settlement> {
    if (this.#inHand.has(id)) return this.#later();
    this.#inHand.add(id);
    try {
      if (!this.#isOwed(id)) return await this.#handle(id, run);
      await this.#record(id);
      return ACK;
    } catch (error) {
      if (!isCurable(error)) throw error;
      return comeBack(STORE_AWAY_DELAY_MS);
    } finally {
      this.#inHand.delete(id);
    }
  }

  async #handle(id: string, run: () => Promise<Settlement>): Promise<Settlement> {
    const reserved = await this.#reserve(id);
    if (reserved === "completed") return ACK;
    if (reserved === "busy") return this.#later();
    const stopRenewing = this.#keepReserved(id);
    try {
      const settlement = await run();
      if (settlement.kind === "ack") await this.#complete(id);
      else await this.#release(id, stopRenewing());
      return settlement;
    } finally {
      void stopRenewing();
    }
  }

  #reserve(id: string): Promise<"reserved" | "completed" | "busy"> {
    const { inbox, place, leaseMs, node } = this.#options;
    return inbox.reserve(place, id, { leaseMs, node });
  }

  /**
   * Renews the reservation at a third of its time, one call at a time. Should it have been lost meanwhile, the handler goes on: what it has done can't be undone,
   * and a lost reservation is taken again as soon as it is free.
   * @returns stops it, and resolves when no renewal is on its way.
   */
  #keepReserved(id: string): () => Promise<void> {
    const { clock, logger, place, leaseMs } = this.#options;
    let stopped = false;
    let renewal = Promise.resolve();
    let cancel = () => {};
    const renew = async () => {
      try {
        await this.#reserve(id);
      } catch (error) {
        logger.debug("a reservation could not be renewed", { listener: place, id, error: messageOf(error) });
      }
      if (!stopped) renewLater();
    };
    const renewLater = () => {
      cancel = clock.schedule(leaseMs / 3, () => {
        renewal = renew();
      });
    };
    renewLater();
    return () => {
      stopped = true;
      cancel();
      return renewal;
    };
  }

  /** A courtesy to whoever handles it next: the reservation ends by itself. @param renewal would take it again if it came later. */
  async #release(id: string, renewal: Promise<void>): Promise<void> {
    const { inbox, place, node, logger } = this.#options;
    await renewal;
    try {
      await inbox.release(place, id, { node });
    } catch (error) {
      logger.debug("a reservation could not be given back", { listener: place, id, error: messageOf(error) });
    }
  }

  /** The bus keeps the delivery meanwhile. What can't be recorded within about one lease is owed. */
  async #complete(id: string): Promise<void> {
    const { clock, logger, place, leaseMs } = this.#options;
    const begun = clock.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#record(id);
      } catch (error) {
        if (!isCurable(error)) throw error;
        const waitMs = isIntermodalError(error, "UNAVAILABLE") ? RETRY_DELAYS_MS[attempt] : undefined;
        if (waitMs === undefined || clock.now() - begun + waitMs > leaseMs) {
          this.#owe(id);
          logger.warn("it could not be recorded that an event was handled; it comes back for that", {
            listener: place,
            id,
            error: messageOf(error),
          });
          throw error;
        }
        await sleep(clock, waitMs);
      }
    }
  }

  async #record(id: string): Promise<void> {
    const { inbox, place, windowMs } = this.#options;
    await inbox.complete(place, id, { windowMs });
    this.#owed.delete(id);
  }

  #owe(id: string): void {
    const { clock, windowMs } = this.#options;
    const now = clock.now();
    this.#owed.set(id, now + windowMs);
    for (const [oldest, until] of this.#owed) {
      if (until > now && this.#owed.size <= MAX_OWED) return;
      this.#owed.delete(oldest);
    }
  }

  #isOwed(id: string): boolean {
    const until = this.#owed.get(id);
    if (until !== undefined && until <= this.#options.clock.now()) this.#owed.delete(id);
    return this.#owed.has(id);
  }

  /** The other one may fail, or its process die. */
  #later(): Settlement {
    return comeBack(this.#options.leaseMs / 2);
  }
}

/** The inbox is away, lets nobody in for now, or was closed with the app. */
function isCurable(error: unknown): boolean {
  return isIntermodalError(error) && !isIncurable(error);
}
