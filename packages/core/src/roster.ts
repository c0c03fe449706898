/** What a {@link Roster} holds: it knows its place there. */
export interface Rostered {
  /** Written by the roster alone; -1 outside of it. */
  place: number;
}

/**
 * What is under way, in no order: O(1) to add and remove. Where thousands come and go each second, a Set or Map costs far more than it seems: each table that it outgrows
 * keeps what stood in it from being collected with the young, and with it everything that a task has touched.
 */
export class Roster<Member extends Rostered> implements Iterable<Member> {
  readonly #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Member): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** Harmless for what is not there. */
  delete(member: Member): void {
    const { place } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop() as Member;
    if (last === member) return;
    this.#members[place] = last;
    last.place = place;
  }

  /** Those that are there now, whatever comes or goes meanwhile. */
  [Symbol.iterator](): Iterator<Member> {
    return this.#members.slice().values();
  }
}
