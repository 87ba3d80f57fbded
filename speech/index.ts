/** The public surface. What a program imports is node.ts or web.ts, by the name of the package. */
export * from "../bark/index.ts";
export { RawAudio, type RawAudioOptions } from "../audio/raw_audio.ts";
export { BarkTTS, type BarkTTSOptions, type SpeakOptions } from "./bark_tts.ts";
export { BarkWorker, type BarkWorkerOptions, type WorkerLike } from "./worker/bark_worker.ts";
