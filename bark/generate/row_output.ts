import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { BarkOutput } from "./output.ts";

/**
 * What a run of a voice a row made for one row, without padding: what a run of that row alone makes.
 * @param eos the semantic end of speech, behind which a row is filled.
 */
export function rowOutput(output: BarkOutput, row: number, eos: number): BarkOutput {
  const [, books, most] = output.fine.shape;
  const [semantic, samples] = [output.semantic[row], output.output_lengths[row]];
  const end = semantic.indexOf(eos);
  const length = output.coarse_lengths[row];
  // A frame is as many samples in every row.
  const frames = Math.round((samples * most) / output.audio.shape[1]);
  const codes = output.fine.row(row).data;
  const fine = new Int32Array(books * frames);
  for (let book = 0; book < books; book++) fine.set(codes.subarray(book * most, book * most + frames), book * frames);
  return {
    audio: new NdArray(output.audio.row(row).data.slice(0, samples), [1, samples]),
    output_lengths: [samples],
    semantic: [end < 0 ? semantic : semantic.slice(0, end + 1)],
    coarse: [output.coarse[row].slice(0, length)],
    coarse_lengths: [length],
    fine: new NdArray(fine, [1, books, frames]),
    milliseconds: shareOf(output.milliseconds, output.semantic.length),
  };
}

/** An equal share of the times of a batch, so that those of its rows sum up to them. */
function shareOf(times: BarkOutput["milliseconds"], rows: number): BarkOutput["milliseconds"] {
  const { semantic, coarse, fine, codec } = times;
  return { semantic: semantic / rows, coarse: coarse / rows, fine: fine / rows, codec: codec / rows };
}

/** Of a run that ended with its first tokens: another seed may say something. */
export function endedAtOnce(): EngineError {
  return new EngineError("internal", "the model ended before it spoke", {
    where: "semantic",
    fix: "try another text, voice or seed, or a smaller min_eos_p",
  });
}
