/** The public surface; names as in transformers. What a program imports is node.ts or web.ts, by the name of the package. */
export { EngineError, type ErrorCode, type ErrorDetails } from "../engine/errors.ts";
export type { ArrayInput } from "../engine/check/array_argument.ts";
export { openGpu, stop, type Gpu, type GpuOptions } from "../engine/gpu.ts";
export { NdArray, type NdArrayData, type NdArrayDtype } from "../engine/ndarray.ts";
export type { OnNotice } from "../engine/notice.ts";
export type { HubEvent } from "../checkpoint/hub/options.ts";
export type { FileStore } from "../checkpoint/stores/file_store.ts";
export type { ByteSource } from "../checkpoint/sources/byte_source.ts";
export { AutoConfig } from "./config/auto_config.ts";
export {
  BarkCoarseConfig,
  BarkConfig,
  BarkFineConfig,
  BarkSemanticConfig,
  BarkSubModelConfig,
  EncodecConfig,
} from "./config/config.ts";
export type { CausalForwardKwargs } from "./gpt/forward/causal_forward.ts";
export { EncodecModel, type EncodecOutput } from "./encodec_model.ts";
export type { EncodecDecodeStream } from "./generate/codec_stream.ts";
export type { CallOptions, EncodecEncodeOptions } from "./generate/options/codec_arguments.ts";
export { DynamicCache, type CacheLayer, type LegacyCache } from "./gpt/forward/dynamic_cache.ts";
export type { FineForwardKwargs } from "./gpt/forward/fine_forward.ts";
export type { CausalLMOutputWithPast, MaskedLMOutput, OutputTuple } from "./gpt/forward/model_output.ts";
export type { GenerateKwargs, StageKwargs } from "./generate/options/generate_options.ts";
export type { CausalKwargs, LogitsCallback, PrefixCallback, StoppingCallback } from "./generate/options/keywords.ts";
export type { SequenceBias } from "./generate/logits/words.ts";
export type {
  CoarseGenerateKwargs,
  FineGenerateKwargs,
  GenerateMore,
  SemanticGenerateKwargs,
  SubModelKwargs,
} from "./generate/options/sub_model_arguments.ts";
export {
  CausalGenerationConfig,
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkGenerationConfig,
  BarkSemanticGenerationConfig,
} from "./config/generation_config.ts";
export type { BarkFromConfigOptions, FromConfigOptions } from "./load/from_config.ts";
export type { BarkFromPretrainedOptions, DtypeName, FromPretrainedOptions } from "./load/load_options.ts";
export { BarkModel } from "./model.ts";
export type { BarkGenerateKwargs, BarkGenerateMore } from "./generate/options/generate_arguments.ts";
export type { BarkStreamKwargs, LatencyOptions } from "./generate/options/stream_arguments.ts";
export type { BarkOutput, BarkProgress, BarkStage } from "./generate/output.ts";
// The documentation of transformers calls it by the name that goes by the checkpoint.
export { BarkProcessor, BarkProcessor as AutoProcessor, type SpeakerEmbeddings } from "./text/processor.ts";
export type {
  BarkBatchInputs,
  BarkInputLists,
  BarkInputs,
  ListOptions,
  ProcessorFrom,
  ProcessorOptions,
  VoicePerText,
} from "./text/processor_options.ts";
export type { SaveProcessorOptions } from "./text/save_processor.ts";
export { AutoTokenizer } from "./text/auto_tokenizer.ts";
export type { BarkTokenizer, DecodeOptions, Truncation } from "./text/tokenizer.ts";
export type { PushToHubOptions, SavePushOptions } from "./load/push_to_hub.ts";
export type { CheckpointSource } from "./load/open_checkpoint.ts";
export type { CheckpointOptions, ProgressInfo } from "./load/load_options.ts";
export { BarkCausalModel, BarkCoarseModel, BarkFineModel, BarkSemanticModel } from "./sub_models.ts";
export { voicePromptFromRun, type VoicePreset } from "./voice/voices.ts";
export type { BatchVoice, HistoryPrompt } from "./voice/history_prompt.ts";
export type { VoiceOptions } from "./voice/voice_options.ts";
export { to_mono } from "../audio/mono.ts";
export { encode_wav, write_wav, type WavOptions } from "../audio/wav.ts";
export { decode_wav, type WavAudio } from "../audio/wav_reader.ts";
export type { BarkProcessorClass, ProcessorSettings } from "./text/processor.ts";
export type { NestedLists } from "./text/processor_options.ts";
export type { TruncationStrategy } from "./text/encoding.ts";
export type { TextInput } from "./text/text_rows.ts";
export type { Offset } from "./text/offsets.ts";
export type { DecodeBatch, DecodeInput } from "./text/tokenizer.ts";
export type { NumParametersOptions } from "./load/parameters.ts";
export type { Labels } from "../engine/check/pretrained_config.ts";
export type { ExpectedTensor, Initial } from "../engine/weights/expected_tensors.ts";
export type { SaveFolder } from "./load/save_folder.ts";
