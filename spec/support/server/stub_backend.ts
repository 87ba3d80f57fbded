import { setTimeout } from "node:timers/promises";
import type { PreparedRequest, SpeechBackend, SpeechPart, SpeechRequest } from "../../../server/index.ts";
import { validateVoice } from "../../../bark/voice/voices.ts";
import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";

/** Samples of a part. */
const partLength = 2400;

/** Speaks a tone of 0.1 s for every word, at once or with waits, and counts what it does. */
export class StubBackend implements SpeechBackend {
  readonly model = "stub";
  readonly sampling_rate = 24000;
  readonly channels = 1;
  readonly voices = ["en_speaker_0", "de_speaker_1", "v2/en_speaker_6"];
  /** Milliseconds before each part. */
  wait = 0;
  /** The part that fails, if one does. */
  failsAt: number | undefined;
  error: Error = new EngineError("internal", "a secret of /home/me");
  readonly requests: SpeechRequest[] = [];
  active = 0;
  stopped = 0;
  parts = 0;

  async readVoice(npz: Uint8Array) {
    if (npz[0] !== 1) throw new EngineError("bad-input", "is not a voice", { where: "voice preset" });
    const ids = new NdArray(new Int32Array(2), [1, 2]);
    return validateVoice({ semantic_prompt: ids.squeeze(), coarse_prompt: ids, fine_prompt: ids }, "stub");
  }

  async prepare(request: SpeechRequest, signal: AbortSignal): Promise<PreparedRequest> {
    this.requests.push(request);
    const words = request.input.split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) throw new EngineError("usage", "there is nothing to say", { where: "text" });
    return {
      seed: BigInt(request.seed ?? 11),
      input_tokens: words.length,
      letters: request.input.length,
      notices: words.includes("🐕") ? ['left out: "🐕"'] : [],
      speak: () => this.#speak(words, signal),
    };
  }

  async *#speak(words: readonly string[], signal: AbortSignal): AsyncGenerator<SpeechPart, void, undefined> {
    this.active++;
    let isWhole = false;
    try {
      for (const [piece, text] of words.entries()) {
        if (this.wait > 0) await pause(this.wait, signal);
        if (signal.aborted) throw new EngineError("aborted", "stopped", { cause: signal.reason });
        if (this.failsAt === piece) throw this.error;
        this.parts++;
        const start = (piece * partLength) / this.sampling_rate;
        yield {
          ...{
            text,
            source: [0, text.length],
            start,
            end: start + 0.1,
            voice: null,
            flags: [],
            attempts: 1,
            seed: 11n,
          },
          ...{ piece, pieces: words.length, is_last: true, real_time_factor: 0, sampling_rate: this.sampling_rate },
          audio: toneOf(piece),
          tokens: { semantic: 5, coarse: 15 },
        };
      }
      isWhole = true;
    } finally {
      if (!isWhole && signal.aborted) this.stopped++;
      this.active--;
    }
  }
}

/** What the stub says for its n-th word. */
export function toneOf(n: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: partLength }, (_, i) => 0.5 * Math.sin(((n + 2) * i) / 20));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  // It rejects when it is stopped, which whoever asked looks at.
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);
}
