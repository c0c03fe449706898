// The order of test files that need servers. Vitest goes by what it has measured, on a fresh clone by size: the longest files are a few lines that run a
// whole suite, and come last then, when the other workers are idle; or all come first and at once, and what should come soon comes late.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, beginning early; suites, which keep a processor busy, alternate with what mostly waits. */
const FIRST: readonly string[] = [
  "test/matrix/lifecycle-rabbit",
  "test/faults/outage",
  "test/stores/mongo.test",
  "test/faults/leases",
  "test/faults/rabbit-alarms",
  "test/matrix/lifecycle-nats",
  "test/stores/faults/streams-away",
  "test/brokers/rabbit.test",
  "test/torture/torture",
  "test/matrix/lifecycle-memory",
  "test/brokers/nats.test",
  "test/stores/redis.test",
  "test/brokers/oldest",
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = FIRST.findIndex((name) => moduleId.includes(name));
  return at < 0 ? FIRST.length : at;
}
