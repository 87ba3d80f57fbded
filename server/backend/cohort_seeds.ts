/**
 * Seeds of requests that ask for none. Rows of one run share a seed, so those that come one after another get the same one,
 * as many as a run takes. The same text twice gets two: whoever asks for it twice wants to choose.
 */
export class CohortSeeds {
  readonly #most: number;
  readonly #texts = new Set<string>();
  #seed = randomSeed();

  constructor(most: number) {
    this.#most = most;
  }

  next(text: string): bigint {
    if (this.#texts.has(text) || this.#texts.size >= this.#most) {
      this.#texts.clear();
      this.#seed = randomSeed();
    }
    this.#texts.add(text);
    return this.#seed;
  }
}

/** Of 32 bits: a client sends back the one that it was told, and numbers of JSON hold 53. */
function randomSeed(): bigint {
  return BigInt(crypto.getRandomValues(new Uint32Array(1))[0]);
}
