import { writeNpyInt64 } from "../checkpoint/numpy/npy.ts";
import { writeNpz } from "../checkpoint/numpy/npz.ts";
import { EngineError } from "../engine/errors.ts";
import type { NdArray } from "../engine/ndarray.ts";
import { writeFileAtomically } from "../checkpoint/node/atomic_file.ts";
import { EncodecModel } from "../bark/encodec_model.ts";
import { BarkGenerationConfig } from "../bark/config/generation_config.ts";
import { to_mono } from "../audio/mono.ts";
import { BarkProcessor } from "../bark/text/processor.ts";
import { openCheckpoint } from "../bark/load/open_checkpoint.ts";
import { bandwidthFor, voiceOfCodes } from "../bark/voice/voice_from_codes.ts";
import { RawAudio } from "../audio/raw_audio.ts";
import { readCodes, readWav } from "./files/codec_files.ts";
import { choiceFlag, numberFlag, parseCommandLine, requirePositionals } from "./command_line.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { defaultModel } from "./files/model_location.ts";
import { requireOutput } from "./files/output_file.ts";
import { note, print } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";

const shared = {
  model: { type: "string", short: "m" },
  device: { type: "string" },
  quiet: { type: "boolean" },
} as const;

/** `bark codec`: the codec alone, from audio to codes or back. */
export async function codec(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const [direction, ...rest] = args;
  if (direction === "encode") return await encode(rest, interrupt);
  if (direction === "decode") return await decode(rest, interrupt);
  throw new EngineError("usage", direction === undefined ? "no direction given" : "no such direction", {
    where: ["codec", ...args.slice(0, 1)].join(" "),
    fix: "`bark codec encode IN.wav OUT.npz` or `bark codec decode IN.npz OUT.wav`",
  });
}

async function encode(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const { values, positionals } = parseCommandLine("codec", args, {
    ...shared,
    bandwidth: { type: "string" },
    voice: { type: "boolean" },
    "semantic-from": { type: "string" },
  });
  requirePositionals("codec encode", positionals, 2, 2);
  const [input, output] = positionals;
  const isVoice = values.voice === true || values["semantic-from"] !== undefined;
  const file = await requireOutput("", output, isVoice ? [".npz"] : [".npz", ".npy"]);
  const given = numberFlag("bandwidth", values.bandwidth, (value) => value > 0, "a number of kbit/s");
  if (isVoice && given !== undefined)
    throw new EngineError("usage", "a voice has the bandwidth of the checkpoint", { fix: "leave out --bandwidth" });
  const wav = await readWav(input, values.quiet === true ? () => undefined : note);
  if (values.quiet !== true && (values.model ?? defaultModel) === defaultModel) note(nanoEncoder);
  const codes = await withCodec(values, interrupt, async (model, store, watch) => {
    const { config } = model;
    if (config.audio_channels !== 1)
      throw new EngineError("usage", "the codec is not mono", { where: store.name, fix: "take a 24 kHz codec" });
    const generation = isVoice ? await BarkGenerationConfig.from_pretrained(store) : undefined;
    const bandwidth = generation === undefined ? given : bandwidthFor(config, generation);
    const from = values["semantic-from"];
    // A missing voice is an error before the work begins.
    const other = from === undefined ? undefined : await (await BarkProcessor.from_pretrained(store)).loadVoice(from);
    const audio = await to_mono(wav, config.sampling_rate, input);
    const options = bandwidth === undefined ? watch : { ...watch, bandwidth };
    const { audio_codes } = await model.encode(audio, options);
    const codes = audio_codes.row(0).row(0);
    interrupt.check();
    await writeFileAtomically(
      file.path,
      generation === undefined ? bytesOf(codes, output) : writeNpz({ ...voiceOfCodes(codes, generation, other) }),
    );
    return codes;
  });
  if (isVoice && values["semantic-from"] === undefined)
    note(
      `${output} has no semantic_prompt: that needs another model (HuBERT and its quantizer); --semantic-from adds one`,
    );
  const [codebooks, frames] = codes.shape;
  print(`${output}: ${codebooks} codebooks, ${frames} frames`, file.report);
  return 0;
}

async function decode(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const { values, positionals } = parseCommandLine("codec", args, { ...shared, format: { type: "string" } });
  requirePositionals("codec decode", positionals, 2, 2);
  const [input, output] = positionals;
  const format = choiceFlag("format", values.format, ["pcm16", "float32"]) ?? "pcm16";
  const file = await requireOutput("", output, [".wav"]);
  const seconds = await withCodec(values, interrupt, async (model, _store, watch) => {
    const { sampling_rate } = model.config;
    const codes = await readCodes(input, model.config);
    const { audio_values } = await model.decode(codes, watch);
    interrupt.check();
    const audio = audio_values.row(0);
    await writeFileAtomically(file.path, new Uint8Array(new RawAudio(audio, sampling_rate).toWav({ format })));
    return audio.shape[1] / sampling_rate;
  });
  print(`${output}: ${seconds.toFixed(2)} s`, file.report);
  return 0;
}

interface Flags {
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/** Runs `work` with the codec of the checkpoint that the flags name. */
async function withCodec<T>(
  { model: name, device, quiet }: Flags,
  interrupt: Interrupt,
  work: (
    model: EncodecModel,
    store: Awaited<ReturnType<typeof openCheckpoint>>,
    watch: Pick<NonNullable<Parameters<EncodecModel["encode"]>[1]>, "signal" | "on_progress">,
  ) => Promise<T>,
): Promise<T> {
  const progress = new ProgressLine();
  const onNotice = quiet === true ? () => undefined : progress.note;
  const watch = { signal: interrupt.signal, ...(quiet === true ? {} : { on_progress: progress.report }) };
  const store = await openCheckpoint(name ?? defaultModel, { onNotice, signal: interrupt.signal });
  const options = { recover: true, onNotice, ...(device === undefined ? {} : { device }) };
  const model = await EncodecModel.from_pretrained(store, options);
  try {
    return await work(model, store, watch);
  } finally {
    progress.end();
    model.dispose();
  }
}

const nanoEncoder =
  "the encoder of nano learned nano's two voices alone, and what it encodes loses some words: for recordings, give the " +
  "checkpoint of a Bark or of facebook/encodec_24khz with -m";

function bytesOf(codes: NdArray, output: string): Uint8Array<ArrayBuffer> {
  return /\.npy$/i.test(output) ? writeNpyInt64(codes) : writeNpz({ codes });
}
