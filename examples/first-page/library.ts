/** The application's own work. */
export async function summariseChapter(chapterId: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  return `chapter ${chapterId}, in short`;
}

export async function addToIndex(bookId: string): Promise<void> {
  console.log("indexed", bookId);
}
