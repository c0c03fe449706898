import { IntermodalError } from "@intermodal/core/ports";

/** What the oldest server speaks that has all this store needs: MongoDB 5.0. */
const OLDEST_WIRE_VERSION = 13;

/** @throws `CONFIG_INVALID` for a server that lacks what the store needs. */
export function assertSupported(where: string, hello: { readonly maxWireVersion?: unknown }): void {
  if (Number(hello.maxWireVersion) >= OLDEST_WIRE_VERSION) return;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `${where} runs a MongoDB older than 5.0 (wire version ${hello.maxWireVersion}); upgrade the server`,
  );
}
