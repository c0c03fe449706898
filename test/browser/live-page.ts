import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect } from "vitest";

// What a test does on the page of "live run", and what it sees there.

export const SCREENSHOTS = fileURLToPath(new URL("../../.results/", import.meta.url));
/** Cells of what the run has had and the page has not. */
export const MISSING = "#sequences [data-kind=missing]";

/** Starts a run that is over in some seconds. */
export async function startRun(page: Page, reader = "fetch"): Promise<void> {
  await page.getByLabel("Followed with").selectOption(reader);
  await page.getByLabel("Pace").selectOption({ label: "quick" });
  await page.getByRole("button", { name: "Start run" }).click();
}

/** Presses Cut as soon as the page has so many tokens, however busy this process is at that moment. */
export function cutAt(page: Page, tokens: number): Promise<void> {
  return page.locator("#sequences").evaluate((grid, tokens) => {
    const page = grid.ownerDocument;
    const observer = new page.defaultView.MutationObserver(() => {
      if (grid.querySelectorAll("[data-kind=token]").length < tokens) return;
      observer.disconnect();
      page.getElementById("cut").click();
    });
    observer.observe(grid, { childList: true, subtree: true, attributes: true });
  }, tokens);
}

export const shows = (page: Page, selector: string, atLeast: number) =>
  page
    .locator(selector)
    .nth(atLeast - 1)
    .waitFor({ state: "attached" });
export const ended = (page: Page) => page.locator("#status[data-state=ended]").waitFor({ timeout: 40_000 });
export const shoot = (page: Page, name: string) =>
  page.screenshot({ path: `${SCREENSHOTS}live-run-${name}.png`, fullPage: true });

/** The texts of a table's rows. */
export const rowsOf = (page: Page, table: string) =>
  page
    .locator(`#${table} tr`)
    .evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)));

/** Every sequence from 1 is there once, in cells, tally and table; and the answer is whole. @returns how many. */
export async function expectWhole(page: Page): Promise<number> {
  const events = await rowsOf(page, "events");
  expect(events.map(([sequence]) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)?.[1]).toBe("lifecycle.completed");
  const count = events.length;
  expect(await page.locator("#tally").textContent()).toBe(`The run is at ${count}: ${count} here, 0 missing, 0 twice`);
  expect(await page.locator("#sequences > *").count()).toBe(count);
  expect(await page.locator(MISSING).count()).toBe(0);
  const tokens = events.filter(([, name]) => name === "token").map(([, , data]) => JSON.parse(data ?? "").text);
  expect(await page.locator("#answer").textContent()).toBe(tokens.join(""));
  return count;
}
