import { toPcm16, wavHeader } from "../../audio/wav.ts";

/** About 22 seconds. */
const blockSamples = 2 ** 19;

/**
 * Sound that grows, as 16-bit samples in Blobs, which a browser keeps out of the page's heap and, if they are large, on disk:
 * of an hour (173 MB) the page itself holds 1 MB.
 */
export class Recording {
  readonly sampling_rate: number;
  readonly #blocks: Blob[] = [];
  readonly #tail = new Int16Array(blockSamples);
  #tailSamples = 0;

  constructor(sampling_rate: number) {
    this.sampling_rate = sampling_rate;
  }

  get samples(): number {
    return this.#blocks.length * blockSamples + this.#tailSamples;
  }

  /** @param audio full scale ±1, clipped beyond. */
  append(audio: Float32Array): void {
    for (const sample of audio) {
      this.#tail[this.#tailSamples++] = toPcm16(sample);
      if (this.#tailSamples < blockSamples) continue;
      this.#blocks.push(new Blob([this.#tail]));
      this.#tailSamples = 0;
    }
  }

  /** Samples from one to before another, or fewer: up to the end of a block. */
  async read(from: number, to: number): Promise<Float32Array<ArrayBuffer>> {
    const block = Math.floor(from / blockSamples);
    const [begin, end] = [from, Math.min(to, this.samples, (block + 1) * blockSamples)].map(
      (sample) => sample - block * blockSamples,
    );
    const pcm =
      block === this.#blocks.length
        ? this.#tail.subarray(begin, end)
        : new Int16Array(await this.#blocks[block].slice(2 * begin, 2 * end).arrayBuffer());
    return Float32Array.from(pcm, (sample) => sample / 32767);
  }

  /** A WAV file of 16 bits. */
  toBlob(): Blob {
    const format = { rate: this.sampling_rate, channels: 1, format: "pcm16" } as const;
    const header = wavHeader(format, 2 * this.samples);
    const tail = this.#tail.slice(0, this.#tailSamples);
    return new Blob([header, ...this.#blocks, tail], { type: "audio/wav" });
  }
}
