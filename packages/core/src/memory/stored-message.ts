/** A message as one queue or listener holds it. */
export class StoredMessage {
  readonly id: string;
  readonly type: string;
  /** May be part of a slab: copied apart where the message is to stay for long. */
  body: Uint8Array;
  readonly sentAt: number;
  /** Tries that count so far. */
  attempts = 0;
  /** Names the latest delivery: whoever holds an older one has lost the message. */
  tag = 0;
  /** Its place among those in flight; -1 elsewhere. */
  place = -1;
  leaseUntil = 0;
  /** Its holder said `leave`: the end of the lease is not the death of a holder. */
  left = false;

  constructor(id: string, type: string, body: Uint8Array, sentAt: number) {
    this.id = id;
    this.type = type;
    this.body = body;
    this.sentAt = sentAt;
  }
}

/** Where the messages of a queue come from that have not been delivered yet. */
export interface MessageSource {
  readonly length: number;
  shift(): StoredMessage | undefined;
}
