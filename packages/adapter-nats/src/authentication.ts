import { IntermodalError, messageOf } from "@intermodal/core/ports";
import type { Authenticator, NodeConnectionOptions } from "@nats-io/transport-node";

/** The host's authenticators, and when one of them has failed: the client closes over it, and does not say why. */
export class Authentication {
  readonly options: Pick<NodeConnectionOptions, "authenticator">;
  readonly #failed = Promise.withResolvers<never>();

  constructor(authenticator: NodeConnectionOptions["authenticator"]) {
    // Nobody may be waiting.
    this.#failed.promise.catch(() => {});
    this.options =
      authenticator === undefined ? {} : { authenticator: [authenticator].flat().map((each) => this.#watched(each)) };
  }

  /** Never resolves. @throws `CONFIG_INVALID` with what an authenticator threw. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  #watched(authenticator: Authenticator): Authenticator {
    return (nonce) => {
      try {
        return authenticator(nonce);
      } catch (error) {
        const message = `nats: the authenticator in the connection options failed: ${messageOf(error)}; check the credentials that it reads`;
        this.#failed.reject(new IntermodalError("CONFIG_INVALID", message, { cause: error }));
        throw error;
      }
    };
  }
}
