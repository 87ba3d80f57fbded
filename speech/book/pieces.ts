import { encode_wav } from "../../audio/wav.ts";
import { decode_wav } from "../../audio/wav_reader.ts";
import { readInteger } from "../../engine/check/arguments.ts";
import { isObject } from "../../engine/check/json_fields.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import type { Flag } from "../guard.ts";
import { sha256 } from "./hash.ts";
import type { TokenCounts } from "../speak.ts";
import type { BookPiece } from "./plan.ts";
import { jsonBytes, type BookStore } from "./store.ts";

/** A piece that was spoken. */
export interface StoredPiece {
  readonly text: string;
  readonly flags: readonly Flag[];
  /** Takes that were needed. */
  readonly attempts: number;
  /** Of the take that was kept. */
  readonly seed: string;
  readonly samples: number;
  /** What the kept take is made of, for who bills it; absent where an earlier version stored the piece. */
  readonly tokens?: TokenCounts;
  /** Why it could not be spoken: a gap, which only a book made by several machines may have. */
  readonly lost?: string;
}

interface PieceFile extends StoredPiece {
  /** Of the sound's file. */
  readonly sha256: string;
}

/**
 * The pieces of a book that were spoken: `pieces/KEY.wav`, with the unclipped samples, and `pieces/KEY.json`, which is
 * written after it and says that it is whole.
 */
export class PieceFiles {
  readonly #store: BookStore;
  readonly #rate: number;
  readonly #lost = new Set<string>();

  /** @param rate samples a second. */
  constructor(store: BookStore, rate: number) {
    this.#store = store;
    this.#rate = readInteger(1)(rate, "rate");
  }

  /** What is known of a piece; undefined if it was not spoken, or its files are damaged. @param onNotice is told of damage. */
  async find({ key }: BookPiece, onNotice: OnNotice): Promise<StoredPiece | undefined> {
    const file = await this.#read(key);
    if (file === undefined) return undefined;
    const sound = await this.#store.read(soundOf(key));
    if (sound !== undefined && (await sha256(sound)) === file.sha256) return file;
    onNotice(`${this.#store.name}/${soundOf(key)} is ${sound ? "damaged" : "missing"}: the piece is spoken again`);
    return undefined;
  }

  /** A piece that could not be spoken: silence stands for it. @param why for the report. */
  lose({ key, text }: BookPiece, why: string): StoredPiece {
    this.#lost.add(key);
    return { text, flags: [], attempts: 1, seed: "0", samples: 1, lost: why };
  }

  /** Samples of a piece. @throws EngineError `bad-input` if its files changed since they were found whole. */
  async audio({ key }: BookPiece): Promise<Float32Array<ArrayBuffer>> {
    if (this.#lost.has(key)) return new Float32Array(1);
    const where = `${this.#store.name}/${soundOf(key)}`;
    const bytes = await this.#store.read(soundOf(key));
    if (bytes === undefined)
      throw new EngineError("bad-input", "is gone", { where, fix: "the same command speaks it again" });
    return decode_wav(bytes, where).audio.data;
  }

  /** Stores a piece. One that is whole already stays: what a machine that was held up says late changes nothing. */
  async add(
    piece: BookPiece,
    audio: Float32Array,
    spoken: Pick<StoredPiece, "flags" | "attempts" | "seed" | "tokens">,
  ): Promise<StoredPiece> {
    const earlier = await this.find(piece, () => undefined);
    if (earlier !== undefined) return earlier;
    const { key, text } = piece;
    const { flags, attempts, seed, tokens } = spoken;
    // A file without samples is none.
    const samples = audio.length > 0 ? audio : new Float32Array(1);
    const wav = encode_wav(this.#rate, samples, { format: "float32" });
    const stored: StoredPiece = { text, flags, attempts, seed, samples: samples.length, ...(tokens && { tokens }) };
    await this.#store.write(soundOf(key), wav);
    await this.#store.write(factsOf(key), jsonBytes({ ...stored, sha256: await sha256(wav) } satisfies PieceFile));
    return stored;
  }

  /** Removes a piece, by its key. */
  async remove(key: string): Promise<void> {
    for (const name of [soundOf(key), factsOf(key)]) await this.#store.remove(name);
  }

  async #read(key: string): Promise<PieceFile | undefined> {
    const bytes = await this.#store.read(factsOf(key));
    if (bytes === undefined) return undefined;
    try {
      const facts: unknown = JSON.parse(new TextDecoder().decode(bytes));
      return isObject(facts) ? (facts as unknown as PieceFile) : undefined;
    } catch {
      return undefined; // Cut by a power cut: as if it was not written.
    }
  }
}

const soundOf = (key: string): string => `pieces/${key}.wav`;
const factsOf = (key: string): string => `pieces/${key}.json`;
