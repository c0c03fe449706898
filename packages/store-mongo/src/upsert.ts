import { pauseForOthers } from "@intermodal/core/adapter";
import type { Clock } from "@intermodal/core/ports";
import type { Collection, Document, Filter } from "mongodb";
import { isLostUpsert } from "./errors.ts";

const ATTEMPTS = 5;

/**
 * Sets fields of a document that is made where there is none, in one atomic step.
 * @param set May name other fields of the document, and `$$NOW`: the server's time.
 * @returns the document afterwards.
 */
export async function upsert<Doc extends Document & { readonly _id: string }>(
  collection: Collection<Doc>,
  id: string,
  set: object,
  clock: Clock,
): Promise<Doc> {
  const filter = { _id: { $eq: id } } as Filter<Doc>;
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await collection.findOneAndUpdate(filter, [{ $set: set }], {
        upsert: true,
        returnDocument: "after",
      });
      // The driver's types know of documents that are not there: this one is.
      return found as unknown as Doc;
    } catch (error) {
      if (!isLostUpsert(error) || attempt === ATTEMPTS) throw error;
      await pauseForOthers(clock, attempt);
    }
  }
}
