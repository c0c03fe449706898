import type { Page, Route } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProxy, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { inChromium } from "./in-chromium.ts";
import { cutAt, ended, expectWhole, MISSING, shoot, shows, startRun } from "./live-page.ts";
import { startSite } from "./site.ts";

const EVENTS = /\/runs\/[^/]+\/events/;
const isPage = (route: Route) => route.request().headers().accept === "application/json";
const SSE = { contentType: "text/event-stream" };

inChromium("live run in Chromium, when something goes wrong", (open, site) => {
  const status = (page: Page, state: string) => page.locator(`#status[data-state=${state}]`);
  const button = (page: Page, name: string) => page.getByRole("button", { name });

  describe.each(["fetch", "eventsource"])("followed with %s", (reader) => {
    it("tells of an outage of the store, and goes on behind it", async (t) => {
      skipWithout(await whyMissing("redis"), t);
      const redis = await startServer("redis");
      onTestFinished(() => redis.close());
      const road = await startProxy(redis.port);
      onTestFinished(() => road.close());
      const url = `redis://127.0.0.1:${road.port}`;
      const onRedis = await startSite({ INTERMODAL_URL: "memory:", INTERMODAL_STREAMS: url, INTERMODAL_STATE: url });
      onTestFinished(() => onRedis.close());
      const page = await open({}, onRedis);
      await startRun(page, reader);
      await shows(page, "#events tr", 5);
      road.cut();
      // A stream that stands waits without a word; one that comes back is told.
      onRedis.road.breakConnections();
      await status(page, "connecting").getByText("cannot be read at the moment").waitFor();
      await button(page, "Start run").click();
      await page.getByRole("alert").getByText("try again").waitFor();
      await shoot(page, `${reader}-outage`);
      road.mend();
      await ended(page);
      await expectWhole(page);
    });

    it("is resumed after an answer that is no stream", async () => {
      const page = await open();
      await page.route(EVENTS, (route) => route.fulfill({ contentType: "text/html", body: "Log in first" }));
      await startRun(page, reader);
      await status(page, "failed").waitFor();
      await page.unrouteAll();
      await button(page, "Resume").click();
      await ended(page);
      await expectWhole(page);
    });

    it("is followed again from its start by a page that is loaded again", async () => {
      const page = await open();
      await startRun(page, reader);
      await shows(page, "#events tr", 5);
      await page.reload();
      await ended(page);
      await expectWhole(page);
    });

    it("says that there is no such run", async () => {
      const page = await open();
      await page.getByLabel("Followed with").selectOption(reader);
      await page.goto(`${site().url}#nobody`);
      await status(page, "failed").getByText("there is no such run").waitFor();
      // An EventSource cannot know that it is in vain.
      expect(await button(page, "Resume").isEnabled()).toBe(reader === "eventsource");
    });
  });

  it("counts what is told twice to be gone once", async () => {
    const page = await open();
    await page.route("**/runs", (route) => route.fulfill({ status: 202, json: { id: "trimmed" } }));
    const gap = 'id: 5\nevent: gap\ndata: {"from":1,"to":5}\n\n';
    const last =
      'id: 6\nevent: lifecycle.completed\ndata: {"run_id":"trimmed","event":"lifecycle.completed","sequence":6}\n\n';
    const answers = [`retry: 10\n\n${gap}`, gap + last];
    await page.route(EVENTS, (route) => {
      const body = answers.shift();
      return route.fulfill(body === undefined ? { status: 204 } : { ...SSE, body });
    });
    await startRun(page, "eventsource");
    await ended(page);
    expect(await page.locator("#tally").textContent()).toBe("The run is at 6: 1 here, 0 missing, 0 twice, 5 trimmed");
  });

  it("does not take an earlier run's pages for the present one's", async () => {
    const page = await open();
    await startRun(page);
    await ended(page);
    const asked = hold(page);
    await button(page, "Read from the start").click();
    const late = await asked;
    await startRun(page);
    await status(page, "live").waitFor();
    await late.continue();
    await answered(page, late);
    expect(await page.locator("#history tr").count()).toBe(0);
    expect(await button(page, "Next page").isEnabled()).toBe(false);
  });

  it("does not take an earlier run's length for the present one's", async () => {
    const page = await open();
    const asked = hold(page);
    await cutAt(page, 1);
    await startRun(page);
    const late = await asked;
    await page.route(EVENTS, (route) => (isPage(route) ? route.abort() : route.fallback()));
    await startRun(page);
    await status(page, "live").waitFor();
    await button(page, "Cut").click();
    await late.fulfill({ json: { events: [], next: "0", last: 500, ended: true } });
    await answered(page, late);
    expect(await page.locator(MISSING).count()).toBe(0);
  });

  it("reads on in the history after a page that could not be read", async () => {
    const page = await open();
    await startRun(page);
    await ended(page);
    await button(page, "Read from the start").click();
    await shows(page, "#history tr", 50);
    site().road.cut();
    await button(page, "Next page").click();
    await page.getByText("The history could not be read").waitFor();
    site().road.mend();
    await button(page, "Next page").click();
    await shows(page, "#history tr", 51);
  });
});

/** @returns the next request for a page of history, which waits to be answered. */
async function hold(page: Page): Promise<Route> {
  const { promise, resolve } = Promise.withResolvers<Route>();
  let held = false;
  await page.route(EVENTS, async (route) => {
    if (held || !isPage(route)) await route.fallback();
    else {
      held = true;
      resolve(route);
    }
  });
  return promise;
}

/** The page has had this answer, and has done with it what it does. */
async function answered(page: Page, route: Route): Promise<void> {
  await (await route.request().response())?.finished();
  await page.evaluate(() => fetch("/page.css").then((response) => response.text()));
}
