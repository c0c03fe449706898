import { MongoBulkWriteError, type UnorderedBulkOperation } from "mongodb";
import { bulkFailure, isIncomplete } from "./errors.ts";

/** @returns how many documents the updates found, and which writes were refused. @throws what all of it failed for. */
export async function execute(what: string, bulk: UnorderedBulkOperation) {
  try {
    const { matchedCount } = await bulk.execute();
    return { matched: matchedCount, refusals: [] };
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    if (isIncomplete(error)) throw bulkFailure(what, error);
    return { matched: error.matchedCount, refusals: [error.writeErrors].flat() };
  }
}
