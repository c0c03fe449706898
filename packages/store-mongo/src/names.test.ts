import { expect, it } from "vitest";
import { collectionName } from "./names.ts";

it("tells the namespace", () => {
  expect(collectionName("library", "tasks")).toBe("im_library_tasks");
  expect(collectionName("team.library", "run_events")).toBe("im_team=2Elibrary_run_events");
});

it("is short enough for MongoDB, and different for each", () => {
  const long = Array.from({ length: 64 }, () => "a").join(".");
  const names = [long, `${long}b`, `${long}.b`, "a=2Eb", "a.b"].map((namespace) => collectionName(namespace, "tasks"));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name.length).toBeLessThan(150);
});
