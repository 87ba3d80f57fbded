import type { EncodecDecoder } from "../../../encodec/decoder.ts";
import { freshState } from "../../../encodec/stream.ts";
import { requireFinite } from "../audio_check.ts";
import type { StageRun } from "../stage_run.ts";

/** Frames that are decoded first, where there are more: the sooner sound comes, the better. */
const firstFrames = 30;

/**
 * The codec on codes that come bit by bit, exactly: each sample is what a decode of all frames gives. Many frames at once
 * are decoded in parts, each as long as all before it.
 * @param parts codes of the next frames, [frames, codebooks].
 * @yields the next samples.
 */
export async function* streamCodec(
  decoder: EncodecDecoder,
  parts: AsyncIterable<Uint32Array<ArrayBuffer>>,
  codebooks: number,
  run: StageRun,
): AsyncGenerator<Float32Array<ArrayBuffer>, void, undefined> {
  const options = run.signal === undefined ? {} : { signal: run.signal };
  let state = freshState;
  let done = 0;
  for await (const part of parts) {
    const frames = part.length / codebooks;
    for (let at = 0; at < frames;) {
      run.report(done, done + frames - at, false);
      const end = Math.min(frames, at + Math.max(firstFrames, done));
      const codes = Int32Array.from(part.subarray(at * codebooks, end * codebooks));
      const { audio, state: next } = await decoder.decodeNext(codes, codebooks, state, options);
      done += end - at;
      [state, at] = [next, end];
      if (audio.size > 0) yield finite(audio.data);
    }
  }
  // Frames too few for the first convolution.
  if (state.memory === undefined && done > 0) yield finite((await decoder.decode(state.codes, done, options)).data);
  run.report(done, done);
}

/** Its own copy: a listener may keep it, or send it to another thread. */
function finite(samples: Float32Array): Float32Array<ArrayBuffer> {
  requireFinite(samples);
  return Float32Array.from(samples);
}
