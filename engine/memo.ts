/** Promises by key, each made once and shared. A rejected one is forgotten: what failed may pass the next time. */
export class Memo<K, V> {
  readonly #promises = new Map<K, Promise<V>>();

  /** What was made or is being made. */
  get keys(): K[] {
    return [...this.#promises.keys()];
  }

  /** The promise of this key, which `make` gives the first time. Whoever waits for it is told of its rejection. */
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
