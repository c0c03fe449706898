import { mkdir } from "node:fs/promises";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Chromium, startChromium, whyNoChromium } from "../servers/chromium.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { SCREENSHOTS } from "./live-page.ts";
import { type Site, startSite } from "./site.ts";

const missing = await whyNoChromium();

/** Opens the page, of the tests' own site unless another is named. What goes wrong in it fails the test. */
export type Open = (options?: BrowserContextOptions, site?: { readonly url: string }) => Promise<Page>;

/** Tests of "live run" in a browser, with a site of their own. */
export function inChromium(name: string, tests: (open: Open, site: () => Site) => void): void {
  if (missing !== undefined) it(name, (t) => skipWithout(missing, t));

  describe.runIf(missing === undefined)(name, { timeout: 60_000 }, () => {
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

    const open: Open = async (options = {}, { url } = site) => {
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
    };

    tests(open, () => site);
  });
}
