/**
 * Columns of numbers that grow with the sound, in bounded memory: when there are too many, each two become one (the larger
 * values), and every later column stands for twice as much sound.
 */
export class Columns {
  readonly height: number;
  readonly #most: number;
  #values: Float32Array;
  #count = 0;
  /** Columns that are given for one that is kept. */
  #scale = 1;
  #given = 0;

  constructor(height: number, most: number) {
    this.height = height;
    this.#most = most;
    this.#values = new Float32Array(height * most);
  }

  get count(): number {
    return this.#count;
  }

  /** Columns that were given for each that is kept. */
  get scale(): number {
    return this.#scale;
  }

  add(column: ArrayLike<number>): void {
    const isNew = this.#given++ % this.#scale === 0;
    if (isNew && this.#count === this.#most) {
      this.#halve();
      this.#given = this.#count * this.#scale + 1;
    }
    if (isNew) this.#count++;
    const at = (this.#count - 1) * this.height;
    for (let i = 0; i < this.height; i++)
      this.#values[at + i] = isNew ? column[i] : Math.max(this.#values[at + i], column[i]);
  }

  /** The largest of a row in columns [from, to), or 0. */
  largest(row: number, from: number, to: number): number {
    let value = -Infinity;
    for (let i = Math.floor(from); i < Math.min(this.#count, Math.max(to, Math.floor(from) + 1)); i++)
      value = Math.max(value, this.#values[i * this.height + row]);
    return value === -Infinity ? 0 : value;
  }

  #halve(): void {
    const { height } = this;
    for (let i = 0; i < this.#count / 2; i++)
      for (let row = 0; row < height; row++) {
        const at = 2 * i * height + row;
        this.#values[i * height + row] = Math.max(this.#values[at], this.#values[at + height]);
      }
    this.#count /= 2;
    this.#scale *= 2;
  }
}
