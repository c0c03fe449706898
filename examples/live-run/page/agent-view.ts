import type { AgentProgress } from "../contracts.ts";
import { byId, element } from "./elements.ts";
import type { PageEvent } from "./follow.ts";

/** What the agent is doing, as its events tell it. */
export class AgentView {
  readonly #doing = byId("doing");
  readonly #progress = byId<HTMLProgressElement>("progress");
  readonly #tools = byId("tools");
  readonly #answer = byId("answer");
  readonly #calls = new Map<number, HTMLElement>();

  clear(): void {
    this.#doing.textContent = "Nothing heard yet";
    this.#progress.value = 0;
    this.#tools.replaceChildren();
    this.#calls.clear();
    this.#answer.textContent = "";
    delete this.#answer.dataset.writing;
  }

  show(event: PageEvent): void {
    switch (event.name) {
      case "lifecycle.started":
        // An attempt that follows another begins from the start.
        this.clear();
        this.#doing.textContent = "Starting";
        break;
      case "lifecycle.progress":
        this.#advance(event.data as AgentProgress);
        break;
      case "plan":
        this.#addStep("plan", event.data.steps.join(", then "));
        break;
      case "tool.call":
        this.#calls.set(event.data.call, this.#addStep(event.data.tool, event.data.input));
        break;
      case "tool.result":
        this.#calls
          .get(event.data.call)
          ?.append(element("span", event.data.output, { class: "output", title: event.data.output }));
        break;
      case "token":
        this.#answer.append(event.data.text);
        this.#answer.dataset.writing = "";
        break;
      case "lifecycle.completed":
      case "lifecycle.failed":
        this.#doing.textContent = event.name === "lifecycle.completed" ? "Done" : `Failed: ${event.data.error}`;
        delete this.#answer.dataset.writing;
        break;
    }
  }

  #addStep(what: string, about: string): HTMLElement {
    const step = element("li");
    step.append(element("b", what), element("span", about, { title: about }));
    this.#tools.append(step);
    return step;
  }

  #advance({ done, total, doing }: AgentProgress): void {
    this.#progress.max = total;
    this.#progress.value = done;
    this.#doing.textContent = doing.charAt(0).toUpperCase() + doing.slice(1);
  }
}
