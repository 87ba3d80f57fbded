import { EngineError } from "../engine/errors.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import { BarkConfig } from "../bark/config/config.ts";
import { BarkGenerationConfig } from "../bark/config/generation_config.ts";
import { BarkProcessor } from "../bark/text/processor.ts";
import { parseCommandLine, requirePositionals } from "./command_line.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { openModel } from "./files/model_location.ts";
import { note, print } from "./process/print.ts";
import { say } from "./say.ts";

const flags = {
  model: { type: "string", short: "m" },
  preview: { type: "string" },
  output: { type: "string", short: "o" },
} as const;

/** A preset on the hub is three small files of two requests each: one after the other, 130 presets take minutes. */
const loadedAtOnce = 16;

/** What a preset says in a preview, in the languages of suno's presets. */
const sentences: Readonly<Record<string, string>> = {
  de: "Hallo, so klingt meine Stimme.",
  en: "Hello, this is how my voice sounds.",
  es: "Hola, así suena mi voz.",
  fr: "Bonjour, voici comment sonne ma voix.",
  hi: "नमस्ते, मेरी आवाज़ ऐसी है।",
  it: "Ciao, la mia voce suona così.",
  ja: "こんにちは、これが私の声です。",
  ko: "안녕하세요, 제 목소리는 이렇습니다.",
  pl: "Cześć, tak brzmi mój głos.",
  pt: "Olá, é assim que a minha voz soa.",
  ru: "Здравствуйте, так звучит мой голос.",
  tr: "Merhaba, sesim böyle.",
  zh: "你好，这就是我的声音。",
};

/** `bark voices`: the presets of a checkpoint, one a line; with `--preview` one of them speaks. */
export async function voices(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const { values, positionals } = parseCommandLine("voices", args, flags);
  requirePositionals("voices", positionals, 0, 0);
  const { model, preview, output } = values;
  if (preview !== undefined) return await say(previewArguments(preview, model, output), interrupt);
  if (output !== undefined)
    throw new EngineError("usage", "a list is not written to a file", { where: "--output", fix: "give --preview too" });
  await list(await openModel(model, interrupt.signal));
  return 0;
}

/** The arguments of `bark say` for a preview. */
function previewArguments(voice: string, model: string | undefined, output: string | undefined): string[] {
  const text = sentences[languageCode(voice) ?? "en"] ?? sentences["en"];
  const given = (flag: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`--${flag}=${value}`];
  return [...given("model", model), `--voice=${voice}`, ...given("output", output), "--", text];
}

async function list(store: FileStore): Promise<void> {
  const { codec_config } = await BarkConfig.from_pretrained(store);
  const { sample_rate } = await BarkGenerationConfig.from_pretrained(store);
  const processor = await BarkProcessor.from_pretrained(store);
  const names = processor.available_voice_presets;
  if (names.length === 0) note(`${store.name} has no voice presets; an .npz can be used`);
  const width = Math.max(...names.map((name) => name.length));
  for (let first = 0; first < names.length; first += loadedAtOnce) {
    const some = names.slice(first, first + loadedAtOnce);
    const loaded = await Promise.all(some.map((name) => processor.loadVoice(name)));
    for (const [i, { fine_prompt }] of loaded.entries()) {
      const seconds = (fine_prompt.shape[1] * codec_config.hop_length) / sample_rate;
      print(`${some[i].padEnd(width)}  ${languageOf(some[i]).padEnd(12)}  ${seconds.toFixed(1)} s`);
    }
  }
}

function languageOf(name: string): string {
  const code = languageCode(name);
  return code === undefined ? "-" : (new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code);
}

/** suno's presets are named by an ISO 639-1 code: `v2/en_speaker_6`. */
function languageCode(name: string): string | undefined {
  return /(?:^|\/)([a-z]{2})_speaker/.exec(name)?.[1];
}
