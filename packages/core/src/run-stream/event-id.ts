import { IntermodalError } from "../errors.ts";

/** Where a reader of a run stands: behind an event of one of its segments. */
export interface RunPosition {
  /** The series of the root with which the segment began: 1, or that of a replay. */
  readonly segment: number;
  readonly sequence: number;
}

/** The id of an event: its sequence, behind the segment's number from the second segment on. `41`, `2-41`. */
export function eventId({ segment, sequence }: RunPosition): string {
  return segment === 1 ? String(sequence) : `${segment}-${sequence}`;
}

/**
 * Reads an event's id. `0` stands before the first event of whichever segment is the current one.
 * @returns `undefined` for `0`. @throws `CURSOR_INVALID` for what is no event's id.
 */
export function positionOf(id: string): RunPosition | undefined {
  const [, segment = "1", sequence] = /^(?:([2-9]|[1-9]\d{1,8})-)?(\d{1,15})$/.exec(id) ?? [];
  if (sequence === undefined)
    throw new IntermodalError(
      "CURSOR_INVALID",
      `an event's id is like 41 or 2-41, not ${JSON.stringify(id.slice(0, 50))}`,
    );
  const position = { segment: Number(segment), sequence: Number(sequence) };
  return position.segment === 1 && position.sequence === 0 ? undefined : position;
}
