export interface HistoryPrompt {
  semantic_prompt: import("../engine/ndarray.ts").NdArray;
  coarse_prompt: import("../engine/ndarray.ts").NdArray;
  fine_prompt: import("../engine/ndarray.ts").NdArray;
}
