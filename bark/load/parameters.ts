import { argumentsOf, noneOr, readBoolean } from "../../engine/check/arguments.ts";
import type { ExpectedTensor } from "../../engine/weights/expected_tensors.ts";

export interface NumParametersOptions {
  /** All are. Default: false. */
  only_trainable?: boolean | null;
  /** Leave out tables of tokens and positions. Default: false. */
  exclude_embeddings?: boolean | null;
}

const readOptions = argumentsOf("num_parameters", {
  only_trainable: noneOr(readBoolean),
  exclude_embeddings: noneOr(readBoolean),
});

// A codebook is no parameter in torch but a buffer.
const buffer = /(^|\.)quantizer\./;
const embedding = /(^|\.)(input|position)_embeds_layers?\./;

/** As transformers counts: tied tensors once, codebooks not. @throws EngineError `usage`. */
export function countParameters(tensors: Iterable<ExpectedTensor>, given: NumParametersOptions): number {
  const { exclude_embeddings = false } = readOptions(given);
  let count = 0;
  for (const { names, shape, initial } of tensors) {
    const isCounted = initial !== undefined && !buffer.test(names[0]);
    if (isCounted && !(exclude_embeddings && embedding.test(names[0])))
      count += shape.reduce((product, extent) => product * extent, 1);
  }
  return count;
}
