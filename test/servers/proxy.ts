import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { listenOn } from "./ports.ts";

/** `up` is what clients send, `down` what the server sends. */
export type Direction = "up" | "down" | "both";

/** A relay on loopback that makes what is between a client and its server fail on purpose. */
export interface Proxy {
  readonly port: number;
  /** How many connections of clients are open. */
  readonly connections: number;
  /** Breaks all connections, and new ones at once, until `mend`. */
  cut(): void;
  /** Ends every fault: what was held back passes, new connections are let through. */
  mend(): void;
  /** Breaks all connections once; clients can connect again at once. */
  breakConnections(): void;
  /** Keeps connections open, new ones too, but nothing passes until `mend`, when what was held back does. @default "both" */
  blackHole(direction?: Direction): void;
  /** Everything arrives this much later, in each direction; 0 ends it. */
  delay(ms: number): void;
  /**
   * The next `count` requests reach the server, but nothing that comes from there on that connection is passed on from that
   * moment, and soon after it the connection breaks. The client can connect again at once.
   * @param isRequest Which bytes of the client count; the first chunk that does is where answers begin to be lost.
   * @default isRequest all of them, so heartbeats and handshakes too
   */
  loseAnswers(count: number, isRequest?: (chunk: Buffer) => boolean): void;
  /** Breaks all connections and stops listening. */
  close(): Promise<void>;
}

/** How long a request has to reach the server before its connection is broken. */
const EFFECT_MS = 100;

/** Where to connect to; a function is asked at each new connection. */
export type Target = number | (() => number);

export async function startProxy(target: Target): Promise<Proxy> {
  const proxy = new TcpProxy(typeof target === "number" ? () => target : target);
  await proxy.listen();
  return proxy;
}

class TcpProxy implements Proxy {
  readonly #target: () => number;
  readonly #server: Server;
  readonly #relays = new Set<Relay>();
  readonly faults: RelayFaults = { held: { up: false, down: false }, delayMs: 0, toLose: 0, isRequest: () => true };
  #cut = false;
  #port = 0;

  constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) =>
      this.#accept(client),
    );
    this.#server.unref();
  }

  async listen(): Promise<void> {
    this.#port = await listenOn(this.#server);
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#relays.size;
  }

  cut(): void {
    this.#cut = true;
    this.breakConnections();
  }

  mend(): void {
    this.#cut = false;
    this.faults.toLose = 0;
    this.faults.delayMs = 0;
    this.faults.held.up = false;
    this.faults.held.down = false;
    for (const relay of this.#relays) relay.flow();
  }

  breakConnections(): void {
    for (const relay of this.#relays) relay.break();
  }

  blackHole(direction: Direction = "both"): void {
    if (direction !== "down") this.faults.held.up = true;
    if (direction !== "up") this.faults.held.down = true;
    for (const relay of this.#relays) relay.flow();
  }

  delay(ms: number): void {
    this.faults.delayMs = ms;
  }

  loseAnswers(count: number, isRequest: (chunk: Buffer) => boolean = () => true): void {
    this.faults.toLose = count;
    this.faults.isRequest = isRequest;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.breakConnections();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#cut) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const relay = new Relay(client, this.#target(), this.faults, () => this.#relays.delete(relay));
    this.#relays.add(relay);
  }
}

interface RelayFaults {
  readonly held: { up: boolean; down: boolean };
  delayMs: number;
  toLose: number;
  isRequest: (chunk: Buffer) => boolean;
}

/** One client's connection and the one to the server that belongs to it. */
class Relay {
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
