// The order of test files where nobody has measured them yet, as on a fresh clone: by size, says vitest, but the longest ones are a few lines that run
// a whole suite, and one that comes last keeps the others' workers idle.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take a minute or more, the longest first. */
const LONGEST: readonly string[] = [
  "test/matrix/lifecycle-rabbit",
  "test/brokers/rabbit.test",
  "test/matrix/lifecycle-nats",
  "test/matrix/lifecycle-memory",
  "test/brokers/nats.test",
  "test/torture/torture",
  "test/faults/outage",
  "test/stores/mongo.test",
  "test/stores/redis.test",
  "test/faults/leases",
  "test/faults/rabbit-alarms",
  "test/brokers/oldest",
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = LONGEST.findIndex((name) => moduleId.includes(name));
  return at < 0 ? LONGEST.length : at;
}
