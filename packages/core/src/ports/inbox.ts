/** Remembers which messages a listener has completed, so that effects whose completion was recorded are not repeated within the window. */
export interface Inbox {
  /**
   * @returns `reserved`: handle it, then `complete` or `release`; `completed`: it was handled within the window; `busy`: a live reservation is
   * elsewhere, come back later.
   */
  reserve(
    listener: string,
    messageId: string,
    options: { readonly leaseMs: number; readonly node: string },
  ): Promise<"reserved" | "completed" | "busy">;
  /** Keeps the id for `windowMs`. */
  complete(listener: string, messageId: string, options: { readonly windowMs: number }): Promise<void>;
  /** Gives a reservation of this node back; what another holds meanwhile, or what is completed, stays so. */
  release(listener: string, messageId: string, options: { readonly node: string }): Promise<void>;
}
