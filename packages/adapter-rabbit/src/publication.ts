import { assertAllTaken } from "@intermodal/core/adapter";
import { IntermodalError } from "@intermodal/core/ports";
import type { Options } from "amqplib";
import type { Declaration } from "./topology.ts";

/** Where a message goes. */
export interface Route {
  readonly exchange: string;
  readonly routingKey: string;
  /** What must exist first; declared again when the message finds no queue. */
  readonly needs: readonly Declaration[];
}

/** A message on its way to the broker. */
export interface Publication {
  readonly route: Route;
  readonly body: Uint8Array;
  /** `messageId` is always there; `mandatory` where it has to find a queue. */
  readonly properties: Options.Publish;
  /** When it may be delivered, on the clock: how long it has to wait is known when it is written. */
  readonly dueAt?: number | undefined;
  /**
   * Of a copy that is to take the place of a delivery: whether that delivery is lost. Until then the copy waits, however long an alarm or an outage lasts, since one
   * that is given up may arrive all the same, beside its successor; from then on it is not written any more.
   */
  readonly isPointless?: (() => boolean) | undefined;
}

/** Publications that are answered for together; each fails for itself. */
export class Batch {
  readonly #settled = Promise.withResolvers<void>();
  readonly #size: number;
  #failures: (IntermodalError | undefined)[] | undefined;
  #open: number;

  constructor(size: number) {
    this.#size = size;
    this.#open = size;
    if (size === 0) this.#settled.resolve();
  }

  /** Resolves when all are with the broker. @throws {BatchError} when only some are; what the first failed with when none is. */
  async taken(): Promise<void> {
    await this.#settled.promise;
    assertAllTaken(this.#failures);
  }

  /** What became of one of them; told once for each. */
  settle(at: number, failure: IntermodalError | undefined): void {
    if (failure !== undefined) {
      this.#failures ??= new Array<undefined>(this.#size).fill(undefined);
      this.#failures[at] = failure;
    }
    if (--this.#open === 0) this.#settled.resolve();
  }
}

/** One publication of a batch, until its fate is known. */
export class Entry {
  readonly publication: Publication;
  /** When its sender gives up, on the clock. */
  readonly deadline: number;
  /** On the clock; once it is with the broker. */
  writtenAt = Number.POSITIVE_INFINITY;
  /** It came back for want of a queue: its confirmation says nothing. */
  returned = false;
  /** Its queue was declared again already. */
  redeclared = false;
  /** It was written before, and nobody can tell whether it was taken. */
  mayBeThere = false;
  #batch: Batch | undefined;
  readonly #at: number;

  constructor(publication: Publication, deadline: number, batch: Batch, at: number) {
    this.publication = publication;
    this.deadline = deadline;
    this.#batch = batch;
    this.#at = at;
  }

  /** It waits as long as it makes sense. */
  get isPatient(): boolean {
    return this.publication.isPointless !== undefined;
  }

  get isSettled(): boolean {
    return this.#batch === undefined;
  }

  /** Only the first one counts. */
  settle(failure?: IntermodalError): void {
    this.#batch?.settle(this.#at, failure !== undefined && this.mayBeThere ? asUnknown(failure) : failure);
    this.#batch = undefined;
  }
}

function asUnknown({ code, message, cause }: IntermodalError): IntermodalError {
  return new IntermodalError(code, message, { cause, unknown: true });
}
