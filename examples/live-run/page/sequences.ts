import { byId, element } from "./elements.ts";

/** Which of a run's sequence numbers are here: a cell each. What is not stays hollow, what came twice is outlined. */
export class Sequences {
  readonly #grid = byId("sequences");
  readonly #tally = byId("tally");
  readonly #cells: HTMLElement[] = [];
  #received = 0;
  #gone = 0;
  #twice = 0;

  clear(): void {
    this.#grid.replaceChildren();
    this.#cells.length = 0;
    this.#received = this.#gone = this.#twice = 0;
    this.#tell();
  }

  /** The run is known to have come this far. */
  reach(sequence: number): void {
    while (this.#cells.length < sequence) {
      const cell = element("i", "", { "data-kind": "missing", title: `${this.#cells.length + 1}` });
      this.#cells.push(cell);
      this.#grid.append(cell);
    }
    this.#tell();
  }

  receive(sequence: number, kind: string): void {
    this.reach(sequence);
    const cell = this.#cells[sequence - 1];
    if (cell === undefined) return;
    if (cell.dataset.kind === "missing") this.#received++;
    else {
      this.#twice++;
      cell.dataset.times = "2";
    }
    cell.dataset.kind = kind;
    this.#tell();
  }

  /** These can't be had any more. */
  lose({ from, to }: { readonly from: number; readonly to: number }): void {
    this.reach(to);
    for (const cell of this.#cells.slice(from - 1, to)) {
      // Whoever comes back may be told of it again.
      if (cell.dataset.kind !== "missing") continue;
      cell.dataset.kind = "gone";
      this.#gone++;
    }
    this.#tell();
  }

  #tell(): void {
    const missing = this.#cells.length - this.#received - this.#gone;
    const gone = this.#gone > 0 ? `, ${this.#gone} trimmed` : "";
    const text = `The run is at ${this.#cells.length}: ${this.#received} here, ${missing} missing, ${this.#twice} twice${gone}`;
    this.#tally.textContent = text;
    this.#grid.setAttribute("aria-label", text);
  }
}
