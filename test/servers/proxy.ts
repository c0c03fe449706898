import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { listenOn } from "./ports.ts";
import { Relay, type RelayFaults } from "./relay.ts";

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
