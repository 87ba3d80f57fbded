import { wrongArgument } from "../../../engine/check/arguments.ts";
import { readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";

/** Keys and values of one layer in host memory, each [batch, num_heads, length, head_dim]. */
export interface CacheLayer {
  readonly keys: NdArray<Float32Array<ArrayBuffer>>;
  readonly values: NdArray<Float32Array<ArrayBuffer>>;
}

/** Keys and values of every layer, as in transformers' older tuples. */
export type LegacyCache = readonly (readonly [keys: ArrayInput, values: ArrayInput])[];

/**
 * Keys and values of what a causal model has seen. Named and laid out as in transformers, with one difference: a forward
 * pass leaves its cache as it is and returns a longer one, so one cache can be continued in several ways.
 */
export class DynamicCache {
  /** One entry a layer of the model; none in a cache that has seen nothing. */
  readonly layers: readonly CacheLayer[];

  /** @throws EngineError `usage` if a layer is not two arrays of four axes. */
  constructor(layers: readonly CacheLayer[] | LegacyCache = []) {
    if (!Array.isArray(layers)) throw wrongArgument("layers", expectedLayers, layers);
    this.layers = layers.map(readLayer);
  }

  /** Positions seen. */
  get_seq_length(): number {
    return this.layers[0]?.keys.shape[2] ?? 0;
  }
}

const expectedLayers = "keys and values of each layer";
const readStates = readArray(
  [4],
  ({ data, shape }) =>
    new NdArray(data instanceof Float32Array ? (data as Float32Array<ArrayBuffer>) : Float32Array.from(data), shape),
);

function readLayer(layer: unknown, i: number): CacheLayer {
  const [keys, values] = Array.isArray(layer)
    ? (layer as unknown[])
    : [(layer as CacheLayer | null)?.keys, (layer as CacheLayer | null)?.values];
  const name = `past_key_values, layer ${i}`;
  return { keys: readStates(keys, `${name}, keys`), values: readStates(values, `${name}, values`) };
}

/** What `past_key_values` may be: a cache, or its layers. @throws EngineError `usage`. */
export function readCache(value: unknown, name: string): DynamicCache {
  if (value instanceof DynamicCache) return value;
  if (Array.isArray(value)) return new DynamicCache(value as LegacyCache);
  throw wrongArgument(name, "what forward answered as past_key_values", value);
}

export interface CacheShape {
  readonly layers: number;
  readonly batch: number;
  readonly heads: number;
  readonly headDim: number;
}

/** Checks a cache against the model and batch. @throws EngineError `usage`. */
export function checkCache(cache: DynamicCache, { layers, batch, heads, headDim }: CacheShape): void {
  if (cache.layers.length === 0) return;
  const fail = (expected: string, actual: string): never => {
    throw new EngineError("usage", "the cache does not fit this model and batch", {
      where: "past_key_values",
      expected,
      actual,
    });
  };
  if (cache.layers.length !== layers) fail(`${layers} layers`, `${cache.layers.length} layers`);
  const expected = `[${[batch, heads, cache.get_seq_length(), headDim].join(", ")}]`;
  for (const { keys, values } of cache.layers)
    for (const { shape } of [keys, values]) {
      const actual = `[${shape.join(", ")}]`;
      if (actual !== expected) fail(expected, actual);
    }
}

/** [heads, length, headDim] to [length, heads * headDim], the layout of the kernels. */
export function mergeHeads(values: Float32Array, heads: number, headDim: number): Float32Array<ArrayBuffer> {
  const length = values.length / (heads * headDim);
  const merged = new Float32Array(values.length);
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < length; i++) {
      const from = (head * length + i) * headDim;
      merged.set(values.subarray(from, from + headDim), (i * heads + head) * headDim);
    }
  return merged;
}

/** [length, heads * headDim] to [heads, length, headDim]: the inverse of {@link mergeHeads}. */
export function splitHeads(values: Float32Array, heads: number, headDim: number): Float32Array<ArrayBuffer> {
  const length = values.length / (heads * headDim);
  const split = new Float32Array(values.length);
  for (let i = 0; i < length; i++)
    for (let head = 0; head < heads; head++) {
      const from = (i * heads + head) * headDim;
      split.set(values.subarray(from, from + headDim), (head * length + i) * headDim);
    }
  return split;
}
