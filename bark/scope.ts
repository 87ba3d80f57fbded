/** Things on the GPU that are freed together, also when making the next of them fails. */
export class Scope {
  readonly #kept: { dispose(): void }[] = [];

  keep<T extends { dispose(): void }>(thing: T): T {
    this.#kept.push(thing);
    return thing;
  }

  dispose(): void {
    for (const thing of this.#kept) thing.dispose();
  }
}
