import { IntermodalError } from "@intermodal/core/ports";
import type { Db, IndexDescription, IndexDescriptionInfo } from "mongodb";
import { isIndexConflict } from "./errors.ts";
import { collectionName } from "./names.ts";

/** One of a namespace's collections, and the indexes that it needs. */
export interface CollectionSpec {
  /** Ends the collection's name. */
  readonly part: string;
  readonly indexes: readonly IndexSpec[];
}

export interface IndexSpec {
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly unique?: true;
  /** With 0 a document goes at the time that stands in the field. */
  readonly expireAfterSeconds?: 0;
  readonly partialFilterExpression?: Readonly<Record<string, object>>;
}

/** In these an index that exists has to agree with ours. */
const COMPARED = [
  "key",
  "unique",
  "expireAfterSeconds",
  "partialFilterExpression",
  "sparse",
  "collation",
  "hidden",
] as const;
/** Others may be making the same collection at the same moment. */
const ATTEMPTS = 4;

/** The collections of a namespace: made where they are missing, and checked. */
export class Topology {
  readonly #namespace: string;
  readonly #ensured = new Map<string, { readonly generation: number; readonly done: Promise<void> }>();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  nameOf({ part }: CollectionSpec): string {
    return collectionName(this.#namespace, part);
  }

  /**
   * Makes the collection and its indexes where they are missing: once per generation of the connection.
   * @throws `CONFIG_INVALID` where what exists differs.
   */
  ensure(db: Db, spec: CollectionSpec, generation: number): Promise<void> {
    const known = this.#ensured.get(spec.part);
    if (known?.generation === generation) return known.done;
    const done = this.#ensure(db, spec);
    const ensured = { generation, done };
    this.#ensured.set(spec.part, ensured);
    done.catch(() => {
      if (this.#ensured.get(spec.part) === ensured) this.#ensured.delete(spec.part);
    });
    return done;
  }

  async #ensure(db: Db, spec: CollectionSpec): Promise<void> {
    const name = this.nameOf(spec);
    const exists = await assertPlain(db, name);
    for (let attempt = 1; ; attempt++) {
      const found = exists || attempt > 1 ? await indexesOf(db, name) : [];
      for (const index of spec.indexes) assertSame(name, index, found);
      const missing = spec.indexes.filter((index) => !found.some((one) => one.name === index.name));
      if (missing.length === 0) return;
      try {
        await db.collection(name).createIndexes(missing as IndexDescription[]);
        return;
      } catch (error) {
        if (isIndexConflict(error)) assertFree(name, missing, await indexesOf(db, name));
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }
}

/** @returns whether the collection exists. @throws `CONFIG_INVALID` for one that is no ordinary collection. */
async function assertPlain(db: Db, name: string): Promise<boolean> {
  const [found] = await db.listCollections({ name }, { nameOnly: false }).toArray();
  if (found === undefined) return false;
  const { type, options } = found as { type?: string; options?: Readonly<Record<string, unknown>> };
  const odd = ["capped", "collation", "timeseries", "clusteredIndex", "validator"].find((field) => options?.[field]);
  if (odd === undefined && (type ?? "collection") === "collection") return true;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `collection ${name} exists, but ${odd === undefined ? `is a ${type}` : `has the option ${odd}`}. Drop it, or use another namespace`,
  );
}

async function indexesOf(db: Db, name: string): Promise<readonly IndexDescriptionInfo[]> {
  return db.collection(name).listIndexes().toArray();
}

/** @throws `CONFIG_INVALID`. */
function assertSame(collection: string, wanted: IndexSpec, found: readonly IndexDescriptionInfo[]): void {
  const has = found.find(({ name }) => name === wanted.name);
  if (has === undefined) return;
  const differing = COMPARED.filter((field) => text(has, field) !== text(wanted, field));
  if (differing.length === 0) return;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `index ${wanted.name} of collection ${collection} exists with other settings: ${differing
      .map((field) => `${field} is ${text(has, field)}, needed is ${text(wanted, field)}`)
      .join("; ")}. Drop the index, and it is made anew`,
  );
}

/** @throws `CONFIG_INVALID` where an index of another name has the keys of a wanted one. */
function assertFree(collection: string, wanted: readonly IndexSpec[], found: readonly IndexDescriptionInfo[]): void {
  for (const index of wanted) {
    assertSame(collection, index, found);
    const other = found.find((one) => one.name !== index.name && text(one, "key") === text(index, "key"));
    if (other === undefined) continue;
    throw new IntermodalError(
      "CONFIG_INVALID",
      `collection ${collection} has an index ${other.name} on ${text(other, "key")}, where index ${index.name} is needed. Drop it, and ours is made`,
    );
  }
}

function text(index: object, field: string): string {
  const value = (index as Readonly<Record<string, unknown>>)[field];
  return value === undefined || value === false ? "absent" : JSON.stringify(value);
}
