// Written out one by one: only then do bundlers see the files and take them along.
const beside = {
  "config.json": new URL("./config.json", import.meta.url),
  "generation_config.json": new URL("./generation_config.json", import.meta.url),
  "model.safetensors": new URL("./model.safetensors", import.meta.url),
  "speaker_embeddings/en_speaker_0_coarse_prompt.npy": new URL("./speaker_embeddings/en_speaker_0_coarse_prompt.npy", import.meta.url),
  "speaker_embeddings/en_speaker_0_fine_prompt.npy": new URL("./speaker_embeddings/en_speaker_0_fine_prompt.npy", import.meta.url),
  "speaker_embeddings/en_speaker_0_semantic_prompt.npy": new URL("./speaker_embeddings/en_speaker_0_semantic_prompt.npy", import.meta.url),
  "speaker_embeddings/en_speaker_1_coarse_prompt.npy": new URL("./speaker_embeddings/en_speaker_1_coarse_prompt.npy", import.meta.url),
  "speaker_embeddings/en_speaker_1_fine_prompt.npy": new URL("./speaker_embeddings/en_speaker_1_fine_prompt.npy", import.meta.url),
  "speaker_embeddings/en_speaker_1_semantic_prompt.npy": new URL("./speaker_embeddings/en_speaker_1_semantic_prompt.npy", import.meta.url),
  "speaker_embeddings_path.json": new URL("./speaker_embeddings_path.json", import.meta.url),
  "special_tokens_map.json": new URL("./special_tokens_map.json", import.meta.url),
  "tokenizer.json": new URL("./tokenizer.json", import.meta.url),
  "tokenizer_config.json": new URL("./tokenizer_config.json", import.meta.url),
  "vocab.txt": new URL("./vocab.txt", import.meta.url),
};

// Vite 7's development server moves this module to node_modules/.vite/deps and leaves its files behind.
// Other URLs stay as they are: those of Next.js (Turbopack) are relative to the page, which no new URL can be.
const moved = /\/node_modules\/\.vite\/deps[^/]*\//;
const home = (url) =>
  moved.test(url.href) ? new URL(url.href.replace(moved, "/node_modules/bark-webgpu-nano/")) : url;

/** Where the files of the checkpoint are, by their paths in it. */
export const files = Object.fromEntries(Object.entries(beside).map(([path, url]) => [path, home(url)]));
