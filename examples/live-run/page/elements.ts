/** The element of the page with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  text = "",
  attributes: Readonly<Record<string, string>> = {},
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** What an event's cell and name are coloured by. */
export function kindOf(name: string): string {
  if (name.startsWith("lifecycle.")) return "lifecycle";
  return name === "token" ? "token" : "tool";
}

/** A row of a table: the number first, then texts; the name is coloured. */
export function eventRow(sequence: number, name: string, data: unknown, time?: string): HTMLTableRowElement {
  const row = element("tr");
  row.append(element("td", String(sequence), { class: "number" }));
  if (time !== undefined) row.append(element("td", time));
  const json = JSON.stringify(data);
  row.append(element("td", name, { "data-kind": kindOf(name) }), element("td", json, { title: json }));
  return row;
}
