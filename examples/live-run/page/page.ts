import { AgentView } from "./agent-view.ts";
import { byId, eventRow, kindOf } from "./elements.ts";
import { type Follow, followWithEventSource, followWithFetch, type PageEvent, type Watcher } from "./follow.ts";
import { HistoryView, readHistory } from "./history.ts";
import { Sequences } from "./sequences.ts";

/** How often the page asks how far the run is while it is cut off. */
const LOOK_MS = 300;
const READERS: Readonly<Record<string, Follow>> = { fetch: followWithFetch, eventsource: followWithEventSource };

const form = byId<HTMLFormElement>("start");
const formError = byId("start-error");
const status = byId("status");
const cutButton = byId<HTMLButtonElement>("cut");
const resumeButton = byId<HTMLButtonElement>("resume");
const events = byId("events");
const eventsScroll = byId("events-scroll");
const sequences = new Sequences();
const agent = new AgentView();
const history = new HistoryView();

let url = "";
/** All there is to keep, to go on later. */
let lastId: string | undefined;
let over = false;
let follow: Follow = followWithFetch;
let cut: (() => void) | undefined;
let looking: ReturnType<typeof setInterval> | undefined;

form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const fields = new FormData(form);
  formError.hidden = true;
  try {
    const id = await start({
      question: String(fields.get("question")),
      seed: Number(fields.get("seed")),
      paceMs: Number(fields.get("paceMs")),
    });
    // Kept in the address, so that the page follows the same run when it is loaded again.
    location.replace(`#${encodeURIComponent(id)}`);
  } catch (error) {
    formError.hidden = false;
    formError.textContent = `The run could not be started: ${(error as Error).message}`;
  }
});

cutButton.onclick = () => {
  disconnect();
  tell("cut", "Cut off; the run goes on without this page");
  resumeButton.disabled = false;
  // The numbers that this page is missing show as hollow cells.
  const timer = setInterval(async () => {
    const { last } = await readHistory(url, lastId ?? "0", 1).catch(() => ({ last: 0 }));
    // Resumed by now, or on another run, it knows better.
    if (looking === timer) sequences.reach(last);
  }, LOOK_MS);
  looking = timer;
};

resumeButton.onclick = () => {
  stopLooking();
  connect();
};

/** @returns the run's id. */
async function start(input: object): Promise<string> {
  const response = await fetch("/runs", { method: "POST", body: JSON.stringify(input) });
  if (response.ok) return (await response.json()).id;
  // What stands in between may answer with no JSON.
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `the server answered ${response.status}`);
}

/** Follows the run that the address names, from its start. */
function openRun(): void {
  if (location.hash === "") return;
  disconnect();
  stopLooking();
  // Encoded already, as it was put there.
  url = `/runs/${location.hash.slice(1)}/events`;
  follow = READERS[String(new FormData(form).get("reader"))] ?? followWithFetch;
  lastId = undefined;
  over = false;
  sequences.clear();
  agent.clear();
  events.replaceChildren();
  history.use(url);
  connect();
}

function connect(): void {
  tell("connecting", "Connecting");
  resumeButton.disabled = true;
  cutButton.disabled = false;
  cut = follow(url, lastId, watcher);
}

function disconnect(): void {
  cut?.();
  cut = undefined;
  cutButton.disabled = true;
}

const watcher: Watcher = {
  event(event) {
    lastId = event.id;
    over ||= event.name === "lifecycle.completed" || event.name === "lifecycle.failed";
    show(event);
  },
  gap: (gap) => sequences.lose(gap),
  open: () => tell("live", "Live"),
  connecting(reason) {
    // Comes back only to be told that there is no more.
    if (!over) tell("connecting", `Connecting again: ${reason}`);
  },
  ended() {
    disconnect();
    tell("ended", "The run is over, and all of it is here");
  },
  refused() {
    if (over) watcher.ended();
    else watcher.failed("the server refuses; perhaps there is no such run, or its events have expired", false);
  },
  failed(reason, isFinal) {
    disconnect();
    resumeButton.disabled = isFinal;
    tell("failed", `Failed: ${reason}`);
  },
};

function show(event: PageEvent): void {
  sequences.receive(event.sequence, kindOf(event.name));
  agent.show(event);
  const atEnd = eventsScroll.scrollTop + eventsScroll.clientHeight > eventsScroll.scrollHeight - 40;
  events.append(eventRow(event.sequence, event.name, event.data));
  if (atEnd) eventsScroll.scrollTop = eventsScroll.scrollHeight;
}

function stopLooking(): void {
  clearInterval(looking);
  looking = undefined;
}

function tell(state: string, text: string): void {
  status.dataset.state = state;
  status.textContent = text;
}

addEventListener("hashchange", openRun);
openRun();
