/** The public surface. What a program imports is node.ts or web.ts, by the name of the package. */
export * from "../bark/index.ts";
export { RawAudio, type RawAudioEncodeOptions, type RawAudioOptions } from "../audio/raw_audio.ts";
export { BarkTTS, type BarkTTSOptions } from "./bark_tts.ts";
export type { Flag } from "./guard.ts";
export type { Lexicon } from "./normalize/lexicon.ts";
export type { SourceSpans } from "./markup/source_map.ts";
export type { Change } from "./normalize/rewrite.ts";
export type { WholeProgress } from "./meter.ts";
export type { PlannedPiece, SpeechInput, SpeechPlan } from "./plan.ts";
export type { SpeakOptions, StreamOptions } from "./speak_options.ts";
export type { SpeechProgress } from "./speak_text.ts";
export {
  Speech,
  type SpeechPiece,
  type SpokenPart,
  type SpokenWord,
  type StreamedPiece,
  type TimedWords,
} from "./speech.ts";
export type { LiveText } from "./stream/pushes.ts";
export { TextSplitterStream } from "./text_splitter_stream.ts";
export { BarkWorker, type BarkWorkerOptions, type WorkerLike } from "./worker/bark_worker.ts";
export type { CheckpointFiles, LoadedModel } from "./worker/protocol.ts";
export type { FileAddresses } from "../checkpoint/open_addresses.ts";
export type { Cast, Turn } from "./markup/dialogue.ts";
export type { AudioEncoderOptions } from "../audio/encode/stream.ts";
export type { AudioTags } from "../audio/encode/tags.ts";
