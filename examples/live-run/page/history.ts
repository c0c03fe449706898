import { byId, eventRow } from "./elements.ts";

/** A page of history, as far as this page cares. */
export interface HistoryPage {
  readonly events: readonly {
    readonly sequence: number;
    readonly timestamp: number;
    readonly event: string;
    readonly data: unknown;
  }[];
  readonly next: string;
  readonly last: number;
  readonly ended: boolean;
  readonly gap?: { readonly from: number; readonly to: number };
}

export async function readHistory(url: string, after: string, limit: number): Promise<HistoryPage> {
  const response = await fetch(`${url}?after=${after}&limit=${limit}`, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

const PAGE_SIZE = 50;

/** The run's history, a page at a time. */
export class HistoryView {
  readonly #body = byId("history");
  readonly #summary = byId("history-summary");
  readonly #load = byId<HTMLButtonElement>("history-load");
  readonly #next = byId<HTMLButtonElement>("history-next");
  #run = { url: "" };
  #after = "0";

  constructor() {
    this.#load.onclick = () => this.#read("0");
    this.#next.onclick = () => this.#read(this.#after);
  }

  use(url: string): void {
    this.#run = { url };
    this.#body.replaceChildren();
    this.#summary.textContent = "Paged JSON from the same address.";
    this.#load.disabled = false;
    this.#next.disabled = true;
  }

  async #read(after: string): Promise<void> {
    const run = this.#run;
    const hadNext = !this.#next.disabled;
    this.#load.disabled = this.#next.disabled = true;
    try {
      const { events, next, last, ended, gap } = await readHistory(run.url, after, PAGE_SIZE);
      // Another run is on the page by now.
      if (run !== this.#run) return;
      const rows = events.map(({ sequence, timestamp, event, data }) =>
        eventRow(sequence, event, data, new Date(timestamp).toISOString().slice(11, 23)),
      );
      if (after === "0") this.#body.replaceChildren(...rows);
      else this.#body.append(...rows);
      const read = events.at(-1)?.sequence ?? last;
      this.#after = next;
      this.#next.disabled = read >= last;
      const trimmed = gap === undefined ? "" : `${gap.from} to ${gap.to} trimmed, `;
      this.#summary.textContent = `${trimmed}1 to ${read} of ${last}, ${ended ? "the run is over" : "the run goes on"}`;
    } catch (error) {
      if (run !== this.#run) return;
      this.#next.disabled = !hadNext;
      this.#summary.textContent = `The history could not be read: ${(error as Error).message}`;
    }
    this.#load.disabled = false;
  }
}
