import { describe, expect, it, onTestFinished } from "vitest";
import { startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { inChromium } from "./in-chromium.ts";
import { cutAt, ended, expectWhole, MISSING, rowsOf, shoot, shows, startRun } from "./live-page.ts";
import { startSite } from "./site.ts";

inChromium("live run in Chromium", (open, site) => {
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
      site().road.cut();
      await page.locator("#status[data-state=connecting]").waitFor();
      site().road.mend();
      for (const events of [20, 40, 60]) {
        await shows(page, "#events tr", events);
        site().road.breakConnections();
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
