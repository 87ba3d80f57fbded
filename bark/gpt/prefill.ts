import { EngineError } from "../../engine/errors.ts";
import type { Program } from "../../engine/program/program.ts";
import { Recorder } from "../../engine/program/recorder.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { attention } from "../../kernels/attention/attention.ts";
import { kvAppend, type KvCache } from "../../kernels/attention/decode/decode.ts";
import { embedding, embeddingGiven } from "../../kernels/embedding/embedding.ts";
import type { CausalWeights, PrefillInput } from "./causal_weights.ts";
import type { Attend, GptBuffers } from "./gpt.ts";

/**
 * Positions of several rows that go through the blocks in one pass. On a GPU a few hundred cost little more than reading
 * the weights. Software adapters gain nothing beyond 1024, and one product should not take seconds.
 */
const mostPositions = { software: 1024, gpu: 4096 };

/** Where a prefill goes. */
export interface PrefillTarget {
  /** Of each layer. K, V: [rows, block_size, H] */
  readonly caches: readonly KvCache[];
  /** Receives the last block's output at each row's last position. [rows, H] */
  readonly x: Tensor<"f32">;
}

function prefillLength({ config }: CausalWeights, input: PrefillInput): number {
  return "ids" in input ? input.ids.length : input.embeddings.length / config.hidden_size;
}

/** @returns the length that all inputs have. @throws EngineError `usage` for inputs that do not fit. */
export function commonLength(model: CausalWeights, inputs: readonly PrefillInput[]): number {
  const lengths = inputs.map((input) => prefillLength(model, input));
  const length = lengths[0];
  if (length > 0 && length <= model.config.block_size && lengths.every((other) => other === length)) return length;
  throw new EngineError("usage", "inputs of a prefill must have one length within the block size", {
    expected: `1 to ${model.config.block_size}`,
    actual: lengths.join(", "),
  });
}

/**
 * Computes positions `past` to the last of inputs of one length, one input a row of the caches: as many rows at a time as
 * {@link mostPositions} allows share one sweep over the weights. It is recorded once: the windows of the coarse stage are
 * of one shape as soon as they have their full length, and to record and bind a pass took an H100's host longer than the
 * GPU takes to run it.
 */
export class Prefill {
  readonly #key: string;
  readonly #scope: Scope;
  readonly #passes: readonly Pass[];

  constructor(model: CausalWeights, target: PrefillTarget, inputs: readonly PrefillInput[], past: number) {
    this.#key = keyOf(model, inputs, past);
    this.#scope = new Scope(model.gpu);
    try {
      this.#passes = this.#record(model, target, inputs, past);
    } catch (error) {
      this.#scope.dispose();
      throw error;
    }
  }

  #record(model: CausalWeights, target: PrefillTarget, inputs: readonly PrefillInput[], past: number): Pass[] {
    const { gpt, gpu } = model;
    const scope = this.#scope;
    const length = prefillLength(model, inputs[0]);
    const queries = length - past;
    const most = Math.max(1, Math.floor(mostPositions[gpu.isSoftware ? "software" : "gpu"] / queries));
    const groups = groupRows(inputs, most);
    const rows = Math.max(...groups.map((group) => group.inputs.length));
    const buffers = gpt.buffers(scope, rows * queries, "prefill", length);
    const last = gpt.buffers(scope, rows, "prefill last", length);
    return groups.map((group) => recordGroup(scope, model, target, group, { past, length, buffers, last }));
  }

  /** Whether it computes these inputs from this position on. */
  fits(model: CausalWeights, inputs: readonly PrefillInput[], past: number): boolean {
    return this.#key === keyOf(model, inputs, past);
  }

  /** @throws EngineError `aborted`. */
  async run(inputs: readonly PrefillInput[], signal?: AbortSignal): Promise<void> {
    let row = 0;
    for (const { rows, recorder, write } of this.#passes) {
      write(inputs.slice(row, row + rows));
      await recorder.run(signal);
      row += rows;
    }
  }

  dispose(): void {
    this.#scope.dispose();
  }
}

/** The same for inputs that one recorded pass can compute. */
function keyOf(model: CausalWeights, inputs: readonly PrefillInput[], past: number): string {
  const kinds = inputs.map((input) => ("ids" in input ? "ids" : "embeddings"));
  return [past, prefillLength(model, inputs[0]), ...kinds].join();
}

/** Some rows of a prefill, recorded. */
interface Pass {
  readonly rows: number;
  readonly recorder: Recorder;
  /** Puts inputs of these rows there. */
  readonly write: (inputs: readonly PrefillInput[]) => void;
}

interface RowGroup {
  readonly firstRow: number;
  readonly inputs: readonly PrefillInput[];
}

/** Neighbouring rows of one kind of input, at most `most` together. */
function groupRows(inputs: readonly PrefillInput[], most: number): RowGroup[] {
  const groups: { firstRow: number; inputs: PrefillInput[] }[] = [];
  for (const [row, input] of inputs.entries()) {
    const group = groups.at(-1);
    if (group !== undefined && group.inputs.length < most && "ids" in group.inputs[0] === "ids" in input)
      group.inputs.push(input);
    else groups.push({ firstRow: row, inputs: [input] });
  }
  return groups;
}

interface Extent {
  readonly past: number;
  readonly length: number;
  readonly buffers: GptBuffers;
  readonly last: GptBuffers;
}

function recordGroup(
  scope: Scope,
  model: CausalWeights,
  target: PrefillTarget,
  { firstRow, inputs }: RowGroup,
  extent: Extent,
): Pass {
  const { gpt, config } = model;
  const { hidden_size: H, num_heads: heads, block_size: capacity } = config;
  const { past, length, buffers, last } = extent;
  const queries = length - past;
  const rows = inputs.length;
  const recorder = new Recorder(scope, "prefill");
  const write = recordInputs(scope, recorder.program(0), model, inputs, extent);
  const attend: Attend = (recording, layer, qkv, y, first) => {
    const cache = target.caches[layer];
    for (let row = 0; row < rows; row++) {
      const program = recording.program(2 * (queries - first) * length * H);
      const firstOfRow = (cache.first ?? 0) + (firstRow + row) * capacity * H;
      kvAppend(program, qkv, cache, { rows: queries, width: H, first: firstOfRow + past * H, qkvRow: row * queries });
      const q = { tensor: qkv, first: (row * queries + first) * 3 * H, stride: 3 * H };
      const k = { tensor: cache.k, first: firstOfRow, stride: H };
      attention(program, q, k, { ...k, tensor: cache.v }, y, {
        queries: queries - first,
        keys: length,
        heads,
        headDim: H / heads,
        past: past + first,
        causal: true,
        yFirst: row * (queries - first) * H,
        scratch: buffers.scratch,
      });
    }
  };
  // The last block need not look at any but the last positions, whose outputs the first tokens are sampled from.
  gpt.recordBlocks(recorder, buffers, rows * queries, attend, { sequences: rows, first: queries - 1, buffers: last });
  recorder.program(0).copy(last.x, 0, target.x, firstRow * H, rows * H);
  return { rows, recorder, write };
}

/** Records the embedding of the inputs' positions from `past` on into `buffers.x`. @returns what puts inputs there. */
function recordInputs(
  scope: Scope,
  program: Program,
  { tables }: CausalWeights,
  inputs: readonly PrefillInput[],
  { past, length, buffers: { x } }: Extent,
): Pass["write"] {
  const queries = length - past;
  const count = inputs.length * queries;
  const positionIds = Uint32Array.from({ length: count }, (_, i) => past + (i % queries));
  const positions = scope.tensorFrom("u32", [count], positionIds, "prefill positions");
  if ("ids" in inputs[0]) {
    const tensor = scope.tensor("u32", [count], "prefill ids");
    embedding(program, tables, { tensor }, x, count, { tensor: positions });
    return (given) => {
      tensor.write(Uint32Array.from(given.flatMap((input) => ("ids" in input ? input.ids.slice(past) : []))));
    };
  }
  const tensor = scope.tensor("f32", [count, tables.width], "prefill embeddings");
  embeddingGiven(program, tensor, tables.positions, { tensor: positions }, x, count);
  return (given) => {
    for (const [row, input] of given.entries())
      if ("embeddings" in input)
        tensor.write(input.embeddings.slice(past * tables.width), row * queries * tables.width);
  };
}
