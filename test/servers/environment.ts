import type { Recipe } from "./recipe.ts";
import type { Server, ServerKind } from "./server.ts";

export function variableOf(kind: ServerKind): string {
  return `INTERMODAL_TEST_${kind.toUpperCase()}_URL`;
}

/** A server whose address the environment names: it is used as it is. @throws when it does not answer. */
export async function fromEnvironment(recipe: Recipe, url: string): Promise<Server> {
  const { kind } = recipe;
  // Of several servers, the first.
  const first = url.replace(/,.*/, "");
  const { port } = new URL(first);
  if (port === "") throw new Error(`${variableOf(kind)} must name the port`);
  const refuse = (what: string) => () =>
    Promise.reject(new Error(`the ${kind} server of ${variableOf(kind)} is not ours to ${what}`));
  return {
    kind,
    version: await recipe.probe(first),
    url,
    port: Number(port),
    restartable: false,
    stop: refuse("stop"),
    kill: refuse("kill"),
    start: refuse("start"),
    freeze: refuse("freeze"),
    unfreeze: refuse("unfreeze"),
    close: async () => {},
    run: refuse("run tools beside"),
  };
}
