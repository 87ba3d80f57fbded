import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { PieceSpeaker, type SpokenPiece } from "../../speech/speak.ts";
import type { PlannedPiece } from "../../speech/plan.ts";
import { expectClose } from "../support/close.ts";
import { generateKwargs, historyPrompt, readRuns, type FixtureRun } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";

const { runs } = await readRuns("odd");
const runNamed = (name: string): FixtureRun => runs.find((run) => run.name === name)!;
const early = runNamed("early_end");
// Voices of three lengths and texts that end at different steps: rows with other windows, frames and ends.
const voices = new Map(
  ["history", "short_odd_history", "long_history"].map((name) => [name, historyPrompt(runNamed(name).history!)]),
);
const texts = [...early.input_ids, ...runNamed("history").input_ids, ...runNamed("batch").input_ids];
/** @param voiceOf piece i. Texts are of lengths in no order, so that pieces of a batch are no neighbours. */
const piecesOf = (voiceOf: (i: number) => string | null): PlannedPiece[] =>
  texts.map((_, i) => ({
    text: String(i).padStart(1 + ((7 * i) % 5)),
    voice: voiceOf(i),
    source: [i, i + 1],
    gap: 0,
    begins: false,
  }));
const inVoices = {
  "in voices of other lengths": piecesOf((i) => (i === 3 ? null : [...voices.keys()][i % voices.size])),
  // Rows with equal windows, of which the shorter ones leave the batch.
  "in one voice": piecesOf(() => null),
};

/** What the pieces' texts, which are numbers, stand for: the checkpoint has no tokenizer. */
const processor = (async (given: string[]) => {
  const rows = given.map((text) => texts[Number(text)]);
  const width = rows[0].length;
  return {
    input_ids: new NdArray(Int32Array.from(rows.flat()), [rows.length, width]),
    attention_mask: new NdArray(new Int32Array(rows.length * width).fill(1), [rows.length, width]),
  };
}) as unknown as BarkProcessor;

describe("pieces that are spoken at once", () => {
  let model: BarkModel;
  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), {
      gpu: await sharedGpu(),
      onNotice: () => undefined,
    });
  });
  after(() => model.dispose());

  async function speak(
    pieces: readonly PlannedPiece[],
    batch: number,
    kwargs: object,
    voice: HistoryPrompt | null,
  ): Promise<SpokenPiece[]> {
    const settings = { kwargs, seed: 5n, voice, voices, batch, retries: 1, takes: 1, carry: 0, strict: false };
    const spoken: SpokenPiece[] = [];
    for await (const piece of new PieceSpeaker(model, processor, settings).speak(pieces)) spoken.push(piece);
    return spoken;
  }

  const { min_eos_p } = generateKwargs(early);
  for (const [kind, kwargs] of [
    ["greedy", { do_sample: false, fine_temperature: null, min_eos_p }],
    ["sampled", { do_sample: true, temperature: 0.9, top_k: 30, min_eos_p }],
  ] as const)
    for (const [spread, pieces] of Object.entries(inVoices))
      for (const voice of [voices.get("history")!, null])
        it(`are what they are alone, for three and for four at once: ${kind}, ${spread}, ${voice ? "one" : "none"} given`, async () => {
          const alone = await speak(pieces, 1, kwargs, voice);
          expect(new Set(alone.map(({ audio }) => audio.length)).size, "lengths").above(1);
          for (const batch of [3, 4]) {
            const together = await speak(pieces, batch, kwargs, voice);
            expect(together.map(({ seed, attempts, flags }) => ({ seed, attempts, flags }))).deep.equal(
              alone.map(({ seed, attempts, flags }) => ({ seed, attempts, flags })),
            );
            for (const [i, { run, audio }] of together.entries()) {
              expect(run.semantic, `piece ${i}: semantic`).deep.equal(alone[i].run.semantic);
              expect(run.coarse, `piece ${i}: coarse`).deep.equal(alone[i].run.coarse);
              expect(run.fine.tolist(), `piece ${i}: fine`).deep.equal(alone[i].run.fine.tolist());
              expectClose(audio, alone[i].audio, { absolute: 1e-6 }, `piece ${i}: audio`);
            }
          }
        });
});
