export const KINDS = ["nats", "rabbit", "redis", "valkey", "mongo"] as const;
export type ServerKind = (typeof KINDS)[number];

/** A real server, of this test's own unless its address came from the environment. */
export interface Server {
  readonly kind: ServerKind;
  /** As the server itself says it. */
  readonly version: string;
  /** With credentials, where it asks for any. */
  readonly url: string;
  /** On 127.0.0.1, unless the address came from the environment; kept when it is started again. */
  readonly port: number;
  /** False where the server is not ours: what follows is then refused, except `close`, which does nothing. */
  readonly restartable: boolean;
  /** Ends it in an orderly way; its data stays. */
  stop(): Promise<void>;
  /** Ends all of its processes at once, as a crash does; what it held durably stays. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; resolves when it answers. */
  start(): Promise<void>;
  /** Stops it where it is: connections stay open, nothing is answered. */
  freeze(): Promise<void>;
  unfreeze(): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
  /** Runs one of the tools that come with it, where and as it runs itself. @returns what the tool printed. */
  run(tool: string, ...args: readonly string[]): Promise<string>;
}

export interface ServerOptions {
  /** A line of older versions, such as `2.10`; absent: what is installed, or else the newest. */
  readonly version?: string | undefined;
  /** Files that its configuration names as `$DIR/name`, such as certificates: contents by name. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/** A server that can't be had here; its message says what to install. */
export class ServerMissingError extends Error {
  override readonly name = "ServerMissingError";
}
