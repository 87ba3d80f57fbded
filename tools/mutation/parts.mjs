/**
 * What is mutated and which specs must kill it, part by part. The specs of a part are few and quick: a mutant of a
 * module's constants starts a process of its own that runs them all. Specs that need a GPU or mostly wait are left out.
 */
const files = (folder, names, ending = ".ts") => names.split(" ").map((name) => `${folder}/${name}${ending}`);
const specs = (folder, names) => files(`spec/${folder}`, names, ".spec.ts");

export const parts = {
  planning: {
    mutate: files("bark", "planning fine_planning generation_checks expected_tensors audio_check"),
    specs: specs("bark", "planning generation_checks expected_tensors audio_check"),
  },
  config: {
    mutate: files("bark", "config generation_config sub_model_config unused_generation_fields generate_options"),
    specs: specs("bark", "config generation_config expected_tensors"),
  },
  tokenizer: {
    mutate: files("bark", "tokenizer tokenizer_checks text_notices"),
    specs: specs("bark", "tokenizer truncation text_notices"),
  },
  numbers: {
    mutate: files("engine", "float16 q8"),
    specs: specs("engine", "float16 q8"),
  },
  safetensors: {
    mutate: ["engine/safetensors/*.ts", "engine/json_fields.ts"],
    specs: [...specs("engine/safetensors", "header file checkpoint"), ...specs("engine", "json_fields")],
  },
  torch: {
    mutate: ["convert/torch/*.ts"],
    specs: specs("convert", "pickle torch_file torch_tensor open_weights"),
  },
  suno: {
    mutate: ["convert/suno/*.ts"],
    specs: specs("convert", "suno open_weights"),
  },
  formats: {
    mutate: files("convert", "npy npz zip safetensors_writer hugging_face_view"),
    specs: specs("convert", "npy zip safetensors_writer hugging_face_view open_weights npz"),
  },
  conversion: {
    mutate: files("convert", "q8_reader shards stored_tensor plan_tensors"),
    specs: specs("convert", "stored_tensor q8_reader"),
  },
  hub: {
    mutate: ["engine/hub/*.ts"],
    specs: specs("engine/hub", "abort client progress repository request retry token"),
  },
  "hub-page": {
    mutate: ["engine/stores/hub.ts", "engine/sources/hub.ts"],
    specs: specs("engine/hub", "page"),
  },
  "hub-files": {
    mutate: ["engine/node/hub_*.ts"],
    specs: [
      ...specs("engine/node", "hub_cache hub_lock hub_download hub_store"),
      ...specs("engine/hub", "environment cache"),
    ],
  },
  audio: {
    mutate: files("bark", "wav wav_reader mono"),
    specs: specs("bark", "wav wav_reader mono"),
  },
  arguments: {
    mutate: files("engine", "errors nearest_name memo arguments array_argument"),
    specs: specs("engine", "errors nearest_name memo ndarray arguments array_argument"),
  },
};
