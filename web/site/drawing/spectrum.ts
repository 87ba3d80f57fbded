const size = 1024;
/** Decibels below full scale that are shown as nothing. */
const floor = -90;

const window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
const cosines = Float32Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
const sines = Float32Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size));
const reversed = Uint16Array.from({ length: size }, (_, i) => {
  let bits = 0;
  for (let bit = 1; bit < size; bit *= 2) bits = bits * 2 + (i & bit ? 1 : 0);
  return bits;
});

/** Spectra of a sound that grows: one of 1024 samples, Hann window, for every 512. */
export class Spectra {
  static readonly hop = size / 2;
  readonly rows: number;
  readonly #real = new Float32Array(size);
  readonly #imaginary = new Float32Array(size);
  readonly #recent = new Float32Array(size);
  #filled = size / 2;

  /** @param rows of equal width from 0 Hz to half the sampling rate. */
  constructor(rows: number) {
    this.rows = rows;
  }

  /** Calls `give` with each spectrum: rows from low to high, 0 (silence) to 1 (full scale). */
  push(samples: Float32Array, give: (column: Float32Array) => void): void {
    for (const sample of samples) {
      this.#recent[this.#filled++] = sample;
      if (this.#filled < size) continue;
      give(this.#column());
      this.#recent.copyWithin(0, size / 2);
      this.#filled = size / 2;
    }
  }

  #column(): Float32Array {
    const [real, imaginary] = [this.#real, this.#imaginary];
    for (let i = 0; i < size; i++) real[reversed[i]] = this.#recent[i] * window[i];
    imaginary.fill(0);
    transform(real, imaginary);
    const column = new Float32Array(this.rows);
    for (let i = 0; i < size / 2; i++) {
      const row = Math.floor((i * this.rows) / (size / 2));
      // A sine of full scale has a peak of size / 4 through this window.
      const decibels = 20 * Math.log10(Math.hypot(real[i], imaginary[i]) / (size / 4) + 1e-9);
      column[row] = Math.max(column[row], 1 - decibels / floor);
    }
    return column;
  }
}

/** Fourier transform in place, radix 2 (Cooley and Tukey), of values in bit-reversed order. */
function transform(real: Float32Array, imaginary: Float32Array): void {
  for (let half = 1; half < size; half *= 2) {
    const step = size / 2 / half;
    for (let start = 0; start < size; start += 2 * half)
      for (let i = 0; i < half; i++) {
        const [a, b] = [start + i, start + i + half];
        const [c, s] = [cosines[i * step], sines[i * step]];
        const [re, im] = [real[b] * c + imaginary[b] * s, imaginary[b] * c - real[b] * s];
        [real[b], imaginary[b]] = [real[a] - re, imaginary[a] - im];
        real[a] += re;
        imaginary[a] += im;
      }
  }
}
