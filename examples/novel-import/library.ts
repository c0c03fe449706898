import type { Book } from "./book.ts";
import type { BookSource } from "./contracts.ts";
import { readMobyDick } from "./moby-dick.ts";
import { readBook } from "./read-book.ts";

/** Reads each book once. */
export class Library {
  readonly #books = new Map<string, Promise<Book>>();

  /** @throws {BookError} when the file is no book that can be read. */
  load(source: BookSource): Promise<Book> {
    const key = source.kind === "file" ? source.path : "";
    let book = this.#books.get(key);
    if (book === undefined) {
      book = source.kind === "file" ? readBook(source.path) : Promise.resolve(readMobyDick());
      this.#books.set(key, book);
      // A file that could not be read may be there the next time.
      book.catch(() => this.#books.delete(key));
    }
    return book;
  }
}
