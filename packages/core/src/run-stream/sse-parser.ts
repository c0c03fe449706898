/** A message of an event stream, as the HTML standard's "dispatch the event" makes it. */
export interface SseMessage {
  /** The latest id so far, empty where there was none. */
  readonly id: string;
  /** `message` where the sender named none. */
  readonly event: string;
  readonly data: string;
}

/**
 * Takes a `text/event-stream` apart as the HTML standard says, in pieces cut anywhere. What has no blank line behind it when the stream breaks off is
 * no message.
 */
export class SseParser {
  /** What the server last gave as the time to wait before connecting again. */
  retryMs: number | undefined;
  readonly #decoder = new TextDecoder();
  #text = "";
  /** No line break stands in `#text` before this. */
  #searched = 0;
  #afterCr = false;
  #id = "";
  #event = "";
  #data: string[] = [];

  /** @returns the messages that are complete now. */
  push(chunk: Uint8Array): SseMessage[] {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    const messages: SseMessage[] = [];
    let start = 0;
    for (;;) {
      if (this.#afterCr && start < this.#text.length) {
        // The second half of a CR LF whose line has been taken already.
        this.#afterCr = false;
        if (this.#text[start] === "\n") start++;
      }
      const end = this.#lineEnd(Math.max(start, this.#searched));
      if (end === -1) break;
      const line = this.#text.slice(start, end);
      this.#afterCr = this.#text[end] === "\r";
      start = end + 1;
      this.#searched = start;
      if (line !== "") this.#field(line);
      else this.#dispatch(messages);
    }
    this.#text = this.#text.slice(start);
    this.#searched = this.#text.length;
    return messages;
  }

  #lineEnd(from: number): number {
    LINE_BREAK.lastIndex = from;
    return LINE_BREAK.exec(this.#text)?.index ?? -1;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(messages: SseMessage[]): void {
    if (this.#data.length > 0) {
      messages.push({ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") });
    }
    this.#event = "";
    this.#data = [];
  }
}

const LINE_BREAK = /[\r\n]/g;
