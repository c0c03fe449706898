import { IntermodalError } from "../errors.ts";

/** A version of a message: `major.minor`. */
export interface Version {
  readonly major: number;
  readonly minor: number;
}

/**
 * The versions a listener or worker understands, both ends included. An end is `major.minor`, or a major alone: as `min` it means its first minor, as `max` any of its minors
 * (`{ min: "1.2", max: "2" }` takes 1.2 up to every 2.x).
 */
export interface VersionRange {
  readonly min: string;
  readonly max: string;
}

const VERSION = /^(\d{1,9})\.(\d{1,9})$/;
const BOUND = /^(\d{1,9})(?:\.(\d{1,9}))?$/;

/** `undefined` for what is not `major.minor`: versions come from other programs. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

/** @throws `CONFIG_INVALID` unless it is `major.minor`. */
export function checkVersion(what: string, version: string): string {
  if (typeof version === "string" && VERSION.test(version)) return version;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `the version of ${what} must be "major.minor", such as "1.0", not ${JSON.stringify(version)}`,
  );
}

/** @throws `CONFIG_INVALID` where an end cannot be read or the range is empty. */
export function checkRange(what: string, range: VersionRange): VersionRange {
  const min = BOUND.exec(range.min);
  const max = BOUND.exec(range.max);
  if (min !== null && max !== null && compare(lowest(min), highest(max)) <= 0) return range;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `the versions of ${what} must be { min, max } of "major.minor" or "major" with min up to max, not ${JSON.stringify(range)}`,
  );
}

/** From this version's major, all minors: what a listener understands when it says nothing. @throws `CONFIG_INVALID`. */
export function sameMajor(version: string): VersionRange {
  const { major } = parseVersion(checkVersion("a contract", version)) as Version;
  return { min: `${major}.0`, max: String(major) };
}

/** Never throws: a version that cannot be read is in no range. */
export function inRange(version: string, range: VersionRange): boolean {
  const parsed = parseVersion(version);
  const min = BOUND.exec(range.min);
  const max = BOUND.exec(range.max);
  if (parsed === undefined || min === null || max === null) return false;
  return compare(lowest(min), parsed) <= 0 && compare(parsed, highest(max)) <= 0;
}

function lowest(bound: RegExpExecArray): Version {
  return { major: Number(bound[1]), minor: Number(bound[2] ?? 0) };
}

function highest(bound: RegExpExecArray): Version {
  return { major: Number(bound[1]), minor: bound[2] === undefined ? Number.POSITIVE_INFINITY : Number(bound[2]) };
}

function compare(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor;
}
