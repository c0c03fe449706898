import { IntermodalError } from "../errors.ts";

type State = "up" | "down" | "killed" | "closed";

/**
 * One client's connection to the in-process server: every request travels there and its answer back, so it can be cut, lose an answer, or end
 * with its process, as a real one can.
 */
export class MemoryConnection {
  #state: State = "up";
  /** Why it is down: it comes back when neither holds any more. */
  #linkBroken = false;
  #serverStopped = false;
  #answersToLose = 0;
  readonly #onLost = new Set<() => void>();
  readonly #onBack = new Set<() => void>();
  readonly #onClosed = new Set<() => void>();

  get isUp(): boolean {
    return this.#state === "up";
  }

  /** No answer will ever come, and nothing more may be done: the process is dead. */
  get isKilled(): boolean {
    return this.#state === "killed";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /**
   * Takes `effect` to the server, runs it there in one step, and brings back what it returned or threw.
   * @throws `UNAVAILABLE` when the connection is down, `unknown` when it broke on the way back; `CLOSED` after `close()`.
   */
  async call<T>(what: string, effect: () => T): Promise<T> {
    if (this.#state !== "up") await this.#deadEnd();
    this.#check(what);
    await undefined;
    if (this.#state !== "up") {
      await this.#deadEnd();
      this.#check(what);
    }
    const answer = effect();
    if (this.#answersToLose > 0) {
      this.#answersToLose--;
      this.cut();
      this.mend();
      throw new IntermodalError(
        "UNAVAILABLE",
        `${what}: the connection to the memory server broke before the answer came`,
        { unknown: true },
      );
    }
    await undefined;
    if (this.#state !== "up") {
      await this.#deadEnd();
      if (this.isClosed) throw closed(what);
      throw new IntermodalError(
        "UNAVAILABLE",
        `${what}: the connection to the memory server broke before the answer came`,
        { unknown: true },
      );
    }
    return answer;
  }

  /** The connection breaks, and stays broken until `mend`. */
  cut(): void {
    this.#linkBroken = true;
    this.#goDown();
  }

  mend(): void {
    this.#linkBroken = false;
    this.#comeUp();
  }

  /** The server at the other end stops: down until it has started again. */
  serverStopped(): void {
    this.#serverStopped = true;
    this.#goDown();
  }

  serverStarted(): void {
    this.#serverStopped = false;
    this.#comeUp();
  }

  #goDown(): void {
    if (this.#state !== "up") return;
    this.#state = "down";
    for (const notify of [...this.#onLost]) notify();
  }

  #comeUp(): void {
    if (this.#state !== "down" || this.#linkBroken || this.#serverStopped) return;
    this.#state = "up";
    for (const notify of [...this.#onBack]) notify();
  }

  /** The next `count` requests take effect, but their answers are lost. */
  loseAnswers(count: number): void {
    this.#answersToLose = count;
  }

  /** The process ends: the server sees a broken connection, the client nothing at all any more. */
  kill(): void {
    if (this.#state === "killed" || this.#state === "closed") return;
    const wasUp = this.#state === "up";
    this.#state = "killed";
    if (wasUp) for (const notify of [...this.#onLost]) notify();
  }

  close(): void {
    if (this.#state === "killed" || this.#state === "closed") return;
    const wasUp = this.#state === "up";
    this.#state = "closed";
    if (wasUp) for (const notify of [...this.#onLost]) notify();
    for (const notify of [...this.#onClosed]) notify();
  }

  /** Told when the connection is lost in whatever way; what runs on the server's side of it must be let go. @returns stops it. */
  onLost(notify: () => void): () => void {
    this.#onLost.add(notify);
    return () => this.#onLost.delete(notify);
  }

  /** Told when the connection is back. @returns stops it. */
  onBack(notify: () => void): () => void {
    this.#onBack.add(notify);
    return () => this.#onBack.delete(notify);
  }

  /** Told when the client was closed for good (not when it was killed). @returns stops it. */
  onClosed(notify: () => void): () => void {
    this.#onClosed.add(notify);
    return () => this.#onClosed.delete(notify);
  }

  /** @throws `CLOSED`. */
  assertOpen(what: string): void {
    if (this.isClosed) throw closed(what);
  }

  #check(what: string): void {
    this.assertOpen(what);
    if (this.#state === "down")
      throw new IntermodalError("UNAVAILABLE", `${what}: the memory server cannot be reached`);
  }

  /** A dead process waits for ever. */
  #deadEnd(): Promise<void> {
    return this.isKilled ? new Promise(() => {}) : Promise.resolve();
  }
}

function closed(what: string): IntermodalError {
  return new IntermodalError("CLOSED", `${what}: the adapter has been closed; create a new app to go on`);
}
