import { BarkConfig } from "../config.ts";
import { BarkGenerationConfig } from "../generation_config.ts";
import { BarkProcessor } from "../processor.ts";
import { openCheckpoint } from "../store.ts";
import { parseCommandLine, requirePositionals } from "./command_line.ts";
import { modelLocation } from "./model_location.ts";

/** `bark voices`: the presets of a checkpoint, one a line. */
export async function voices(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("voices", args, { model: { type: "string", short: "m" } });
  requirePositionals("voices", positionals, 0, 0);
  const store = await openCheckpoint(modelLocation(values.model));
  const { codec_config } = await BarkConfig.from_pretrained(store);
  const { sample_rate } = await BarkGenerationConfig.from_pretrained(store);
  const processor = await BarkProcessor.from_pretrained(store);
  const names = processor.available_voice_presets;
  if (names.length === 0) process.stderr.write(`bark: ${store.name} has no voice presets; an .npz can be used\n`);
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) {
    const { fine_prompt } = await processor.loadVoice(name);
    const seconds = (fine_prompt.shape[1] * codec_config.hop_length) / sample_rate;
    process.stdout.write(`${name.padEnd(width)}  ${languageOf(name).padEnd(12)}  ${seconds.toFixed(1)} s\n`);
  }
  return 0;
}

/** suno's presets are named by an ISO 639-1 code: `v2/en_speaker_6`. */
function languageOf(name: string): string {
  const code = /(?:^|\/)([a-z]{2})_speaker/.exec(name)?.[1];
  return code === undefined ? "-" : (new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code);
}
