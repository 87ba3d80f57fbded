import type { EncodecConfig } from "../../encodec/config.ts";
import type { EncodecDecoder } from "../../encodec/decoder.ts";
import { checkStreamable, freshState, type DecoderState } from "../../encodec/stream.ts";
import { refuseMore } from "../../engine/check/arguments.ts";
import type { ArrayInput } from "../../engine/check/array_argument.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { ResidentPart } from "../load/residency.ts";
import { readAudioCodes, readPushOptions, type CallOptions } from "./options/codec_arguments.ts";
import { framesFirst } from "./codec_stage.ts";

/** Decodes codes as they come. `EncodecModel.decode_stream` makes it. */
export class EncodecDecodeStream {
  readonly #weights: ResidentPart<EncodecDecoder>;
  readonly #config: EncodecConfig;
  /** Of each row of the batch; undefined before the first push. */
  #states: readonly DecoderState[] | undefined;
  #codebooks = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  /** For `decode_stream`. */
  constructor(weights: ResidentPart<EncodecDecoder>, config: EncodecConfig) {
    checkStreamable(config);
    this.#weights = weights;
    this.#config = config;
  }

  /**
   * The samples of the next frames. The first come once there are 7 frames (24 kHz codec: 93 ms); from then on every frame
   * gives its `hop_length` samples at once. A call that failed has changed nothing and can be made again.
   * @param audio_codes [1, batch, codebooks, frames], or without the leading axes; batch and codebooks as in the first call.
   * @returns [batch, channels, samples], unclipped.
   * @throws EngineError `usage` for codes that do not fit the codec or the stream, `aborted`.
   */
  async push(audio_codes: ArrayInput, options: Pick<CallOptions, "signal"> = {}, ...more: never[]) {
    refuseMore("push", more, "give push(audio_codes, { signal })");
    const { signal } = readPushOptions(options);
    const codes = readAudioCodes(audio_codes);
    return await this.#inTurn(async () => {
      const [batch, codebooks, frames] = codes.shape;
      const before = this.#states ?? Array.from({ length: batch }, () => freshState);
      if (before.length !== batch || (this.#states !== undefined && codebooks !== this.#codebooks))
        throw new EngineError("usage", "codes do not fit those that the stream began with", {
          where: "audio_codes",
          expected: `[${before.length}, ${this.#codebooks}, frames]`,
          actual: `[${codes.shape.join(", ")}]`,
        });
      const next = await this.#weights.use(async (decoder) => {
        const rows: Awaited<ReturnType<EncodecDecoder["decodeNext"]>>[] = [];
        for (const [row, state] of before.entries()) {
          const given = framesFirst(codes.row(row), frames);
          rows.push(await decoder.decodeNext(given, codebooks, state, signal ? { signal } : {}));
        }
        return rows;
      });
      this.#states = next.map(({ state }) => state);
      this.#codebooks = codebooks;
      return this.#together(next.map(({ audio }) => audio.data));
    });
  }

  /**
   * Ends the sound: the samples of frames that were too few to begin with. The next push begins another sound.
   * @returns [batch, channels, samples]; no samples if every frame has given its own.
   */
  async flush() {
    return await this.#inTurn(async () => {
      const rest: Float32Array[] = [];
      for (const { codes, memory } of this.#states ?? []) {
        const decode = (decoder: EncodecDecoder) => decoder.decode(codes, codes.length / this.#codebooks);
        rest.push(memory === undefined ? (await this.#weights.use(decode)).data : new Float32Array(0));
      }
      this.#states = undefined;
      return this.#together(rest);
    });
  }

  /** Forgets all frames: the next push begins another sound. Calls under way end first. */
  async reset(): Promise<void> {
    await this.#inTurn(async () => {
      this.#states = undefined;
    });
  }

  /** Ends the stream; later calls are refused. */
  dispose(): void {
    this.#isDisposed = true;
    this.#states = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Calls run one after another, in the order in which they were made. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.#isDisposed) throw new EngineError("usage", "the stream was disposed", { where: "decode_stream" });
      return await work();
    });
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  #together(rows: readonly Float32Array[]): NdArray<Float32Array<ArrayBuffer>> {
    const { audio_channels: channels } = this.#config;
    const size = rows.at(0)?.length ?? 0;
    const audio = new Float32Array(rows.length * size);
    for (const [i, row] of rows.entries()) audio.set(row, i * size);
    return new NdArray(audio, [rows.length, channels, size / channels]);
  }
}
