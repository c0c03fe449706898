import { connect as dial, type Socket } from "node:net";

/** How long a request has to reach the server before its connection is broken. */
const EFFECT_MS = 100;

/** What goes wrong on all connections of a proxy, or is to. */
export interface RelayFaults {
  readonly held: { up: boolean; down: boolean };
  delayMs: number;
  toLose: number;
  isRequest: (chunk: Buffer) => boolean;
}

/** One client's connection and the one to the server that belongs to it. */
export class Relay {
  readonly #faults: RelayFaults;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #up: Pump;
  readonly #down: Pump;
  readonly #onBroken: () => void;
  #losing = false;

  constructor(client: Socket, port: number, faults: RelayFaults, onBroken: () => void) {
    this.#faults = faults;
    this.#client = client;
    this.#onBroken = onBroken;
    this.#upstream = dial({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    this.#up = new Pump(client, this.#upstream, faults, "up", (chunk) => this.#request(chunk));
    this.#down = new Pump(this.#upstream, client, faults, "down", () => !this.#losing);
    for (const socket of [client, this.#upstream]) {
      socket.unref();
      socket.on("error", () => this.break());
      socket.on("close", (failed) => failed && this.break());
    }
    client.on("close", () => this.#upstream.destroyed && this.break());
    this.#upstream.on("close", () => client.destroyed && this.break());
    this.flow();
  }

  flow(): void {
    this.#up.flow();
    this.#down.flow();
  }

  /** As when a server dies: a reset rather than an orderly end, so that no client takes it for one. */
  break(): void {
    this.#up.stop();
    this.#down.stop();
    for (const socket of [this.#client, this.#upstream]) if (!socket.destroyed) socket.resetAndDestroy();
    this.#onBroken();
  }

  #request(chunk: Buffer): boolean {
    if (this.#faults.toLose > 0 && this.#faults.isRequest(chunk)) {
      this.#faults.toLose--;
      if (!this.#losing) setTimeout(() => this.break(), EFFECT_MS + this.#faults.delayMs).unref();
      this.#losing = true;
    }
    return true;
  }
}

/** One direction: passes on what comes, as it comes, no faster than the other side takes it. */
class Pump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: RelayFaults;
  readonly #direction: "up" | "down";
  readonly #late: { readonly dueMs: number; readonly chunk: Buffer | undefined }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #full = false;

  constructor(
    from: Socket,
    to: Socket,
    faults: RelayFaults,
    direction: "up" | "down",
    passes: (chunk: Buffer) => boolean,
  ) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#direction = direction;
    from.on("data", (chunk: Buffer) => {
      if (passes(chunk)) this.#pass(chunk);
    });
    from.on("end", () => this.#pass(undefined));
    to.on("drain", () => {
      this.#full = false;
      this.flow();
    });
  }

  /** Reads on, or stops to, as the faults and the other side have it. */
  flow(): void {
    if (this.#faults.held[this.#direction] || this.#full) this.#from.pause();
    else this.#from.resume();
    this.#passLate();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#late.length = 0;
  }

  /** @param chunk Undefined for the end. */
  #pass(chunk: Buffer | undefined): void {
    const { delayMs } = this.#faults;
    if (delayMs === 0 && this.#late.length === 0) {
      this.#write(chunk);
      return;
    }
    this.#late.push({ dueMs: performance.now() + delayMs, chunk });
    if (this.#late.length === 1) this.#timer = setTimeout(() => this.#passLate(), delayMs).unref();
  }

  #passLate(): void {
    clearTimeout(this.#timer);
    if (this.#faults.held[this.#direction]) return;
    for (let next = this.#late[0]; next !== undefined; next = this.#late[0]) {
      const waitMs = this.#faults.delayMs === 0 ? 0 : next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#passLate(), waitMs).unref();
        return;
      }
      this.#late.shift();
      this.#write(next.chunk);
    }
  }

  #write(chunk: Buffer | undefined): void {
    if (this.#to.destroyed) return;
    if (chunk === undefined) this.#to.end();
    else if (!this.#to.write(chunk)) {
      this.#full = true;
      this.#from.pause();
    }
  }
}
