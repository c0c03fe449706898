import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Chromium, startChromium, whyNoChromium } from "../servers/chromium.ts";
import { startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { type Site, startSite } from "./site.ts";

const SCREENSHOTS = fileURLToPath(new URL("../../.results/", import.meta.url));
/** Cells of what the run has had and the page has not. */
const MISSING = "#sequences [data-kind=missing]";

const missing = await whyNoChromium();
if (missing !== undefined) it("live run in Chromium", (t) => skipWithout(missing, t));

describe.runIf(missing === undefined)("live run in Chromium", { timeout: 60_000 }, () => {
  let site: Site;
  let started: Chromium;
  let browser: Browser;

  beforeAll(async () => {
    site = await startSite();
    started = await startChromium();
    browser = await chromium.connectOverCDP(started.endpoint);
    await mkdir(SCREENSHOTS, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await started?.close();
    await site?.close();
  });

  /** Opens the page. What goes wrong in it fails the test. */
  async function open(options: BrowserContextOptions = {}, { url } = site): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, ...options });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    onTestFinished(async () => {
      await context.close();
      expect(errors).toEqual([]);
    });
    await page.goto(url);
    return page;
  }

  /** Starts a run that is over in some seconds. */
  async function startRun(page: Page, reader = "fetch"): Promise<void> {
    await page.getByLabel("Followed with").selectOption(reader);
    await page.getByLabel("Pace").selectOption({ label: "quick" });
    await page.getByRole("button", { name: "Start run" }).click();
  }

  /** Presses Cut as soon as the page has so many tokens, however busy this process is at that moment. */
  function cutAt(page: Page, tokens: number): Promise<void> {
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

  const shows = (page: Page, selector: string, atLeast: number) =>
    page
      .locator(selector)
      .nth(atLeast - 1)
      .waitFor({ state: "attached" });
  const ended = (page: Page) => page.locator("#status[data-state=ended]").waitFor({ timeout: 40_000 });
  const shoot = (page: Page, name: string) =>
    page.screenshot({ path: `${SCREENSHOTS}live-run-${name}.png`, fullPage: true });

  /** The texts of a table's rows. */
  const rowsOf = (page: Page, table: string) =>
    page
      .locator(`#${table} tr`)
      .evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)));

  /** Every sequence from 1 is there once, in cells, tally and table; and the answer is whole. @returns how many. */
  async function expectWhole(page: Page): Promise<number> {
    const events = await rowsOf(page, "events");
    expect(events.map(([sequence]) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.[1]).toBe("lifecycle.completed");
    const count = events.length;
    expect(await page.locator("#tally").textContent()).toBe(
      `The run is at ${count}: ${count} here, 0 missing, 0 twice`,
    );
    expect(await page.locator("#sequences > *").count()).toBe(count);
    expect(await page.locator(MISSING).count()).toBe(0);
    const tokens = events.filter(([, name]) => name === "token").map(([, , data]) => JSON.parse(data ?? "").text);
    expect(await page.locator("#answer").textContent()).toBe(tokens.join(""));
    return count;
  }

  describe.each(["fetch", "eventsource"])("followed with %s", (reader) => {
    it("is cut off, goes on meanwhile, and is resumed without a hole", async () => {
      const page = await open();
      await cutAt(page, 20);
      await startRun(page, reader);
      await page.locator("#status[data-state=cut]").waitFor();
      const seen = await page.locator("#events tr").count();
      await shows(page, MISSING, 10);
      expect(await page.locator("#events tr").count()).toBe(seen);
      await shoot(page, `${reader}-cut`);
      await page.getByRole("button", { name: "Resume" }).click();
      await ended(page);
      expect(await expectWhole(page)).toBeGreaterThan(seen + 10);

      await page.getByRole("button", { name: "Read from the start" }).click();
      const next = page.getByRole("button", { name: "Next page" });
      await shows(page, "#history tr", 50);
      for (let shown = 50; await next.isEnabled(); shown += 50) {
        await next.click();
        await shows(page, "#history tr", shown + 1);
      }
      const history = (await rowsOf(page, "history")).map(([sequence, , name, data]) => [sequence, name, data]);
      expect(history).toEqual(await rowsOf(page, "events"));
      await shoot(page, `${reader}-ended`);
    });

    it("comes back by itself from a network that breaks and is away for a while", async () => {
      const page = await open();
      await startRun(page, reader);
      await shows(page, "#events tr", 2);
      site.road.cut();
      await page.locator("#status[data-state=connecting]").waitFor();
      site.road.mend();
      for (const events of [20, 40, 60]) {
        await shows(page, "#events tr", events);
        site.road.breakConnections();
      }
      await ended(page);
      await expectWhole(page);
    });
  });

  it("is all the same on Redis", async (t) => {
    skipWithout(await whyMissing("redis"), t);
    const redis = await startServer("redis");
    onTestFinished(() => redis.close());
    const stores = { INTERMODAL_STREAMS: redis.url, INTERMODAL_STATE: redis.url };
    const onRedis = await startSite({ INTERMODAL_URL: "memory:", ...stores });
    onTestFinished(() => onRedis.close());
    const page = await open({}, onRedis);
    await cutAt(page, 10);
    await startRun(page);
    await shows(page, MISSING, 10);
    await page.getByRole("button", { name: "Resume" }).click();
    await shows(page, "#sequences [data-kind=token]", 40);
    onRedis.road.breakConnections();
    await ended(page);
    await expectWhole(page);
  });

  it("comes late, to a dark page, and gets most of it at once", async () => {
    const page = await open({ colorScheme: "dark" });
    await cutAt(page, 1);
    await startRun(page);
    await shows(page, MISSING, 100);
    await shoot(page, "dark-cut");
    await page.getByRole("button", { name: "Resume" }).click();
    await ended(page);
    await expectWhole(page);
    await shoot(page, "dark-ended");
  });

  it("fits a phone", async () => {
    const page = await open({ viewport: { width: 390, height: 800 } });
    await shoot(page, "phone-idle");
    await startRun(page);
    await shows(page, "#sequences [data-kind=token]", 20);
    await shoot(page, "phone");
    const { scrollWidth, clientWidth } = await page
      .locator("html")
      .evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
    expect(scrollWidth).toBe(clientWidth);
  });

  it("tells what is wrong with a question", async () => {
    const page = await open();
    const question = page.getByRole("textbox", { name: "Question" });
    await question.evaluate((field) => field.removeAttribute("required"));
    await question.fill("");
    await page.getByRole("button", { name: "Start run" }).click();
    await page.getByRole("alert").getByText("could not be started").waitFor();
  });
});
