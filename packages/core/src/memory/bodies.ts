/** Bodies share slabs of memory: a buffer for each costs more than all the rest of storing it. */
const SLAB_BYTES = 16_384;

/**
 * Copies of messages' bodies, so that neither a sender nor what its bytes are part of is tied to what is stored. A body keeps its slab: what is to
 * stay when its neighbours are gone is copied apart.
 */
export class Bodies {
  #slab = new Uint8Array(SLAB_BYTES);
  #used = 0;

  copy(body: Uint8Array): Uint8Array {
    const { length } = body;
    if (length > SLAB_BYTES / 4) return body.slice();
    if (this.#used + length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    this.#slab.set(body, start);
    return this.#slab.subarray(start, this.#used);
  }
}
