/** What waits, in the order of its turn: one of each client, then the next of each. */
export class FairQueue<T extends { readonly client: string }> {
  /** By client; the map's order is that of the turns. */
  readonly #lines = new Map<string, Set<T>>();

  add(item: T): void {
    const line = this.#lines.get(item.client);
    if (line === undefined) this.#lines.set(item.client, new Set([item]));
    else line.add(item);
  }

  delete(item: T): void {
    const line = this.#lines.get(item.client);
    if (line?.delete(item) === true && line.size === 0) this.#lines.delete(item.client);
  }

  /**
   * Takes out the next one, and behind it those that go with it, in the order of their turns.
   * @param most to take. @returns none if nothing waits.
   */
  take(most: number, goesWith: (first: T, other: T) => boolean): T[] {
    const taken: T[] = [];
    for (const item of [...this.#inTurn()]) {
      if (taken.length === most) break;
      if (taken.length === 0 || goesWith(taken[0], item)) taken.push(item);
    }
    for (const item of taken) {
      this.delete(item);
      const line = this.#lines.get(item.client);
      if (line === undefined) continue;
      this.#lines.delete(item.client);
      this.#lines.set(item.client, line);
    }
    return taken;
  }

  *#inTurn(): Generator<T, void, undefined> {
    const lines = Array.from(this.#lines.values(), (line) => line.values());
    while (lines.length > 0) {
      for (const line of [...lines]) {
        const { done, value } = line.next();
        if (done === true) lines.splice(lines.indexOf(line), 1);
        else yield value;
      }
    }
  }
}
