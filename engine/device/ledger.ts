/** Counts the GPU bytes alive, by label. Every buffer the engine makes is entered here, so that leaks show in tests. */
export class Ledger {
  #bytes = 0;
  #peak = 0;
  readonly #byLabel = new Map<string, number>();

  /** Bytes alive now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Most bytes alive at once since the start or the last {@link resetPeak}. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** Bytes alive by label; empty when everything was disposed. */
  byLabel(): ReadonlyMap<string, number> {
    return this.#byLabel;
  }

  resetPeak(): void {
    this.#peak = this.#bytes;
  }

  allocate(label: string, bytes: number): void {
    this.#bytes += bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
    this.#byLabel.set(label, (this.#byLabel.get(label) ?? 0) + bytes);
  }

  release(label: string, bytes: number): void {
    this.#bytes -= bytes;
    const left = (this.#byLabel.get(label) ?? 0) - bytes;
    if (left === 0) this.#byLabel.delete(label);
    else this.#byLabel.set(label, left);
  }
}
