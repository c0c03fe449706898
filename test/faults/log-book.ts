import { inspect } from "node:util";
import type { Logger } from "@intermodal/core";

/** A logger that keeps every word of what it is told, and what else would come to an operator's eyes. */
export class LogBook implements Logger {
  readonly #lines: string[] = [];

  debug = this.add;
  info = this.add;
  warn = this.add;
  error = this.add;

  /** Errors with their causes and stacks, and everything that hangs on them. */
  add(...parts: readonly unknown[]): void {
    this.#lines.push(...parts.map((part) => inspect(part, { depth: 20, showHidden: true, maxStringLength: null })));
  }

  get text(): string {
    return this.#lines.join("\n");
  }

  /** The secrets that stand in it, in any way of writing them. */
  leaks(secrets: readonly string[]): readonly string[] {
    return secrets.filter((secret) => writings(secret).some((writing) => this.text.includes(writing)));
  }
}

function writings(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString("base64").replace(/=+$/, "");
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64];
}
