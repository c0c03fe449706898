import { connect } from "node:net";

/**
 * Speaks to whatever listens on a port, without a client of its kind: sends `greeting`, then asks `understand` at each chunk,
 * with all that was said so far, until it makes something of it. Rejects when the other side closes first, or falls silent.
 */
export function converse<T extends NonNullable<unknown>>(
  { hostname: host, port }: URL,
  understand: (said: Buffer) => T | undefined,
  greeting?: string | Buffer,
  patienceMs = 2_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let said = Buffer.alloc(0);
    const socket = connect({ host, port: Number(port), timeout: patienceMs });
    const fail = (why: string | Error) => {
      socket.destroy();
      reject(typeof why === "string" ? new Error(`port ${port} ${why}: ${JSON.stringify(said.toString())}`) : why);
    };
    socket.on("connect", () => greeting !== undefined && socket.write(greeting));
    socket.on("data", (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]);
      try {
        const understood = understand(said);
        if (understood === undefined) return;
        resolve(understood);
        socket.destroy();
      } catch (error) {
        fail(error as Error);
      }
    });
    socket.on("error", fail);
    socket.on("timeout", () => fail("says nothing more"));
    socket.on("close", () => fail("closed the connection"));
  });
}
