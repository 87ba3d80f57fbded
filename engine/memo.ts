/** Promises by key, each made once and shared. A rejected one is forgotten: the next try may succeed. */
export class Memo<K, V> {
  readonly #promises = new Map<K, Promise<V>>();

  /** Finished and pending promises. */
  get keys(): K[] {
    return [...this.#promises.keys()];
  }

  /** The promise of this key; `make` makes it the first time. A rejection reaches all who wait for it. */
  get(key: K, make: () => Promise<V>): Promise<V> {
    let promise = this.#promises.get(key);
    if (promise === undefined) {
      promise = make();
      this.#promises.set(key, promise);
      promise.catch(() => this.#promises.delete(key));
    }
    return promise;
  }
}
