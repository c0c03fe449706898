/** The stream of the segment of a run that begins with a series of its root: injective, whatever the id. */
export function streamIdOf(rootId: string, series: number): string {
  const escaped = rootId.replaceAll("~", "~~");
  return series === 1 ? escaped : `${escaped}~${series}`;
}

/** The segment whose stream it is: with which series of the root it began. */
export function segmentOf(rootId: string, streamId: string): number {
  const first = streamIdOf(rootId, 1);
  return streamId === first ? 1 : Number(streamId.slice(first.length + 1));
}
