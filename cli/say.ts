import { writeNpz } from "../checkpoint/numpy/npz.ts";
import { writeFileAtomically } from "../checkpoint/node/atomic_file.ts";
import { checkGenerate, checkGenerationFits, checkVoiceFits } from "../bark/generate/generation_checks.ts";
import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import type { BarkOutput } from "../bark/generate/output.ts";
import { processorOf } from "../bark/text/processor.ts";
import { voicePromptFromRun } from "../bark/voice/voices.ts";
import type { HistoryPrompt } from "../bark/voice/history_prompt.ts";
import { NdArray } from "../engine/ndarray.ts";
import { RawAudio } from "../audio/raw_audio.ts";
import { checkSoundFile, soundFile } from "./files/sound_file.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { openModel } from "./files/model_location.ts";
import { findPlayer, startPlaying, type Player } from "./process/play.ts";
import { print, printJson } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";
import { parseSay, type SayOptions } from "./say_options.ts";
import { readText } from "./files/text_input.ts";

/** Semantic tokens for one id of text. Measured: 6 to 10 with nano; 15 characters a second, 4 to an id, make 13. */
const tokensPerId = 10;

/** `bark say`: text to a WAV file. */
export async function say(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = await parseSay(args);
  const text = await readText(options.words, options.file, interrupt.signal);
  const began = performance.now();
  const progress = new ProgressLine();
  // --quiet silences the adapter's notice, never notices of lost text or a wrong sound.
  let isLoaded = false;
  const onNotice = (line: string): void => {
    if (!options.quiet || isLoaded) progress.note(line);
  };

  // Everything that can fail without the weights fails before they load.
  const player = options.play ? await findPlayer() : undefined;
  const store = await openModel(options.model, interrupt.signal, options);
  const checkpoint = await readCheckpoint(store, onNotice);
  const { config, generation_config: generation } = checkpoint;
  const processor = await processorOf(checkpoint, { onNotice: progress.note });
  const history = options.voice === undefined ? null : await processor.loadVoice(options.voice);
  checkGenerationFits(generation, config, `${store.name}/generation_config.json`);
  if (history !== null) checkVoiceFits(history, generation, config, options.voice);
  checkGenerate(options.kwargs, history, generation, config);
  const max_length = generation.semantic_config.max_input_semantic_length;
  await checkSoundFile(options, generation.sample_rate, config.codec_config.audio_channels);
  const inputs = await processor(text, { max_length });
  progress.expectedTokens =
    tokensPerId * inputs.input_ids.data.filter((id) => id !== processor.tokenizer.pad_token_id).length;

  const shared = { signal: interrupt.signal, ...(options.quiet ? {} : { on_progress: progress.report }) };
  try {
    const model = await BarkModel.from_checkpoint(checkpoint, { ...options.load, recover: true, onNotice, ...shared });
    isLoaded = true;
    const load = performance.now() - began;
    try {
      const { kwargs, seed } = options;
      const run = await model.generate_output({ ...inputs, ...kwargs, history_prompt: history, seed, ...shared });
      progress.end();
      interrupt.check();
      await write(options, text, model, run);
      const result = describe(options, model, run, { load, total: performance.now() - began });
      if (options.json) printJson(result, options.report);
      else for (const line of summary(result)) print(line, options.report);
      if (player !== undefined) await play(player, soundOf(model, run), interrupt.signal);
    } finally {
      model.dispose();
    }
  } finally {
    progress.end();
  }
  return 0;
}

/** The last file is the one on standard output: if nobody reads it, the other is written. */
async function write(options: SayOptions, text: string, model: BarkModel, run: BarkOutput): Promise<void> {
  const { output, saveVoice } = options;
  const bytes = await soundFile(soundOf(model, run), text, options, model.dtype);
  const files = [{ file: output, bytes }];
  if (saveVoice !== undefined) files.push({ file: saveVoice, bytes: writeNpz({ ...voiceOf(model, run) }) });
  files.sort((a, b) => Number(a.file.isStandardOutput) - Number(b.file.isStandardOutput));
  for (const { file, bytes } of files) await writeFileAtomically(file.path, bytes);
}

function soundOf({ generation_config, config }: BarkModel, run: BarkOutput): RawAudio {
  const { audio_channels } = config.codec_config;
  const { data } = run.audio.row(0);
  return new RawAudio(new NdArray(data, [audio_channels, data.length / audio_channels]), generation_config.sample_rate);
}

async function play(player: Player, sound: RawAudio, signal: AbortSignal): Promise<void> {
  const playing = await startPlaying(player, sound, signal);
  await playing.push(sound.audio);
  await playing.finish();
}

function voiceOf({ generation_config }: BarkModel, run: BarkOutput): HistoryPrompt {
  const { semantic_pad_token, semantic_vocab_size } = generation_config.semantic_config;
  return voicePromptFromRun(run.semantic[0], run.coarse[0], run.fine.row(0), {
    semantic_pad_token,
    semantic_vocab_size,
    n_coarse_codebooks: generation_config.coarse_acoustics_config.n_coarse_codebooks,
    codebook_size: generation_config.codebook_size,
  });
}

/** The fields of `--json`. */
interface SayResult {
  output: string;
  sample_rate: number;
  /** Of each channel. */
  samples: number;
  seconds: number;
  tokens: { semantic: number; coarse: number; fine: number };
  milliseconds: { load: number; semantic: number; coarse: number; fine: number; codec: number; total: number };
  adapter: string;
  software: boolean;
  dtype: string;
  seed: number;
  peak_gpu_bytes: number;
}

function describe(
  options: SayOptions,
  model: BarkModel,
  run: BarkOutput,
  times: { load: number; total: number },
): SayResult {
  const { sample_rate, semantic_config } = model.generation_config;
  const samples = run.audio.size / model.config.codec_config.audio_channels;
  const milliseconds = { load: times.load, ...run.milliseconds, total: times.total };
  return {
    output: options.output.name,
    sample_rate,
    samples,
    seconds: samples / sample_rate,
    tokens: {
      semantic: run.semantic[0].filter((id) => id !== semantic_config.semantic_pad_token).length,
      coarse: run.coarse[0].length,
      fine: run.fine.size,
    },
    milliseconds: Object.fromEntries(
      Object.entries(milliseconds).map(([stage, value]) => [stage, Math.round(value)]),
    ) as SayResult["milliseconds"],
    adapter: model.gpu.adapterName,
    software: model.gpu.isSoftware,
    dtype: model.dtype,
    seed: options.seed,
    peak_gpu_bytes: model.gpu.ledger.peakBytes,
  };
}

function summary({ output, seconds, milliseconds, adapter, software, dtype, seed }: SayResult): string[] {
  const inSeconds = (stage: keyof SayResult["milliseconds"]): string => (milliseconds[stage] / 1000).toFixed(1);
  const stages = (["load", "semantic", "coarse", "fine", "codec"] as const)
    .map((s) => `${s} ${inSeconds(s)}`)
    .join(", ");
  return [
    `${output}: ${seconds.toFixed(1)} s of speech in ${inSeconds("total")} s (${stages})`,
    `on ${adapter}${software ? " (software)" : ""}, weights ${dtype}, seed ${seed}`,
  ];
}
