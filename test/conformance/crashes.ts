import type { ConformanceCase } from "@intermodal/conformance";

/** The cases that end a worker at each of its moments: as long as all others together, so they run in a file, and thus on a core, of their own. */
export function isCrash({ id }: ConformanceCase): boolean {
  return id.startsWith("lifecycle/worker-");
}
