import type { App } from "@intermodal/core";
import { novelImported } from "./contracts.ts";
import { shownPath } from "./output.ts";

export const LISTENERS = ["library-catalogue", "reader-notification"] as const;

/** Two services that want to know of a new book. Neither knows of the other, nor of who imports. */
export function registerListeners(app: App, say: (line: string, listener: string, importId: string) => void): void {
  app.on(novelImported, { listener: "library-catalogue" }, async ({ data }) => {
    const by = data.author === undefined ? "" : ` by ${data.author}`;
    const size = `${data.chapters} chapters, ${data.words.toLocaleString("en")} words`;
    say(`library-catalogue: entered “${data.title}”${by} (${size})`, "library-catalogue", data.importId);
  });

  app.on(novelImported, { listener: "reader-notification" }, async ({ data }) => {
    const but = data.incomplete.length === 0 ? "" : `, apart from ${data.incomplete.join("; ")}`;
    const where = shownPath(data.file);
    say(
      `reader-notification: the companion to “${data.title}” is ready in ${where}${but}`,
      "reader-notification",
      data.importId,
    );
  });
}
