/** A text without what Project Gutenberg put around it, and what that said about it. */
export interface Unwrapped {
  readonly body: string;
  readonly title?: string | undefined;
  readonly author?: string | undefined;
}

const START = /^\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG EBOOK.*(?:\n(?!\n).*)*$/im;
const END =
  /^(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG EBOOK|End of (?:the )?Project Gutenberg(?:['’]s)?\b).*$/im;

/** Takes off the header and the licence of Project Gutenberg; any other text comes back as it is. */
export function unwrapGutenberg(text: string): Unwrapped {
  const start = START.exec(text);
  if (start === null) return { body: text };
  const header = text.slice(0, start.index);
  // A subtitle on the next line is left out.
  const field = (name: string) => new RegExp(`^${name}: *(.+)`, "im").exec(header)?.[1]?.replace(/[;:,]?\s*$/, "");
  const rest = text.slice(start.index + start[0].length);
  const end = END.exec(rest);
  const body = (end === null ? rest : rest.slice(0, end.index)).replace(/^\s*Produced by .*(?:\n(?!\n).*)*/i, "");
  return { body: withoutMarkup(body), title: field("Title"), author: field("Author") };
}

const ILLUSTRATION = /\[Illustration(?:[^[\]]|\[[^[\]]*\])*\]/g;

/** Pictures and italics are marked in these texts. A picture may hold the chapter's heading. */
function withoutMarkup(text: string): string {
  return text
    .replace(ILLUSTRATION, (picture) => /^\W*(chapter\s+[ivxlc\d]+)\W*$/im.exec(picture)?.[1] ?? "")
    .replace(/_([^_\n]+(?:\n[^_\n]+)?)_/g, "$1");
}
