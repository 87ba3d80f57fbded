/**
 * What is mutated and which specs must kill it, part by part. The specs of a part are few and quick: a mutant of a
 * module's constants starts a process of its own that runs them all. Specs that need a GPU or mostly wait are left out.
 */
const files = (folder, names, ending = ".ts") => names.split(" ").map((name) => `${folder}/${name}${ending}`);
const specs = (folder, names) => files(`spec/${folder}`, names, ".spec.ts");

export const parts = {
  planning: {
    mutate: [
      ...files("bark/generate", "semantic_plan coarse_plan fine_plan python generation_checks audio_check"),
      "bark/load/expected_tensors.ts",
    ],
    specs: [
      ...specs("bark/generate", "plans generation_checks audio_check"),
      ...specs("bark/load", "expected_tensors"),
    ],
  },
  config: {
    mutate: [
      ...files("bark/config", "config generation_config sub_model_config unused_generation_fields"),
      "bark/generate/options/generate_options.ts",
    ],
    specs: [...specs("bark/config", "config generation_config"), ...specs("bark/load", "expected_tensors")],
  },
  tokenizer: {
    mutate: files("bark/text", "tokenizer tokenizer_checks text_notices"),
    specs: specs("bark/text", "tokenizer truncation text_notices"),
  },
  numbers: {
    mutate: files("engine/formats", "float16 q8"),
    specs: specs("engine/formats", "float16 q8"),
  },
  safetensors: {
    mutate: [
      ...files("checkpoint/safetensors", "header file checkpoint"),
      ...["engine/check/json_fields.ts", "checkpoint/json_file.ts"],
    ],
    specs: [...specs("checkpoint/safetensors", "header file checkpoint"), ...specs("engine/check", "json_fields")],
  },
  torch: {
    mutate: ["checkpoint/torch/*.ts"],
    specs: [...specs("checkpoint/torch", "pickle torch_file torch_tensor"), ...specs("checkpoint", "open_weights")],
  },
  suno: {
    mutate: files("checkpoint/suno", "checkpoint codec_config config names python_json"),
    specs: [...specs("checkpoint/suno", "suno"), ...specs("checkpoint", "open_weights")],
  },
  formats: {
    mutate: [
      ...files("checkpoint/numpy", "npy npz"),
      ...["checkpoint/zip.ts", "checkpoint/safetensors/writer.ts", "checkpoint/suno/hugging_face_view.ts"],
    ],
    specs: [
      ...specs("checkpoint/numpy", "npy npz"),
      ...specs("checkpoint", "zip open_weights safetensors/writer suno/hugging_face_view"),
    ],
  },
  conversion: {
    mutate: [
      ...files("checkpoint", "q8_reader stored_tensor"),
      ...["checkpoint/safetensors/shards.ts", "convert/plan_tensors.ts"],
    ],
    specs: specs("checkpoint", "stored_tensor q8_reader"),
  },
  hub: {
    mutate: ["checkpoint/hub/*.ts"],
    specs: specs("checkpoint/hub", "abort client progress repository request retry token"),
  },
  "hub-page": {
    mutate: files("checkpoint/web", "page_hub_store page_hub_source"),
    specs: specs("checkpoint/hub", "page"),
  },
  "hub-files": {
    mutate: ["checkpoint/node/hub/*.ts"],
    specs: [
      ...specs("checkpoint/node/hub", "cache lock download disk_hub_store"),
      ...specs("checkpoint/hub", "environment cache"),
    ],
  },
  audio: {
    mutate: files("audio", "wav wav_reader mono"),
    specs: specs("audio", "wav wav_reader mono"),
  },
  arguments: {
    mutate: ["engine/errors.ts", "engine/memo.ts", ...files("engine/check", "nearest_name arguments array_argument")],
    specs: [
      ...specs("engine", "errors memo ndarray"),
      ...specs("engine/check", "nearest_name arguments array_argument"),
    ],
  },
};
