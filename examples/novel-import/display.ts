import { MultiBar, type SingleBar } from "cli-progress";
import { createColors } from "picocolors";

/** How many pieces of each kind are done. */
export interface Tally {
  readonly summaries: number;
  readonly scenes: number;
  readonly retries: number;
  readonly failed: number;
}

/** Shows how far the import is: bars in a terminal, a line now and then anywhere else. */
export interface Display {
  update(tally: Tally): void;
  /** Prints a line; above the bars where there are any. */
  line(text: string): void;
  /** Leaves the bars as they are. What comes after stands below. */
  stop(): void;
}

type Colors = ReturnType<typeof createColors>;

/** @param chapters how many summaries, and how many scenes, there will be. */
export function createDisplay(stream: NodeJS.WriteStream, chapters: number): Display {
  return stream.isTTY ? terminalDisplay(stream, chapters, colorsFor(stream)) : plainDisplay(stream, chapters);
}

/** Colours for a terminal that wants them. */
export function colorsFor(stream: NodeJS.WriteStream): Colors {
  const { NO_COLOR, TERM } = process.env;
  return createColors(stream.isTTY === true && !NO_COLOR && TERM !== "dumb");
}

function terminalDisplay(stream: NodeJS.WriteStream, chapters: number, colors: Colors): Display {
  const bars = new MultiBar({
    stream,
    format: `  {what} ${colors.cyan("{bar}")} {value}/{total} {note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 40,
    hideCursor: true,
    gracefulExit: false,
    emptyOnZero: true,
  });
  const summaries = bars.create(chapters, 0, { what: "summaries", note: "" });
  const scenes = bars.create(chapters, 0, { what: "scenes   ", note: "" });
  let isStopped = false;
  const show = (bar: SingleBar, value: number, note: string) => bar.update(value, { note: colors.dim(note) });
  return {
    update({ summaries: summed, scenes: seen, retries, failed }) {
      show(summaries, summed, retries === 0 ? "" : `retries: ${retries}`);
      show(scenes, seen, failed === 0 ? "" : `failed: ${failed}`);
    },
    line: (text) => bars.log(`${colors.dim(text)}\n`),
    stop() {
      // Draws what was logged since the last time, which stopping alone would lose.
      if (isStopped) return;
      isStopped = true;
      bars.update();
      bars.stop();
    },
  };
}

/** A line for each so many per cent. */
const STEP_PERCENT = 10;

function plainDisplay(stream: NodeJS.WriteStream, chapters: number): Display {
  let shown = 0;
  return {
    update({ summaries, scenes }) {
      const percent = Math.floor(((summaries + scenes) / (2 * chapters)) * 100);
      if (percent < shown + STEP_PERCENT) return;
      shown = percent - (percent % STEP_PERCENT);
      stream.write(
        `${String(shown).padStart(3)} %  ${summaries} of ${chapters} summaries, ${scenes} of ${chapters} scenes\n`,
      );
    },
    line: (text) => stream.write(`${text}\n`),
    stop() {},
  };
}
