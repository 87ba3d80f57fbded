import { OnnxGraph } from "./onnx.ts";
import {
  codecChannels,
  codecStrides,
  tensorsOf,
  valuesOf,
  type CodecWork,
  type GptWork,
  type Work,
} from "../../measure/work.ts";

/** Contributed operators of onnxruntime. */
const contributed = "com.microsoft";

/** How attention is written: as the fused operator of onnxruntime, or by the operators of ONNX alone. */
export type AttentionForm = "fused" | "plain";

/** A work as an ONNX model with input `x`. */
export function onnxModel(work: Work, attention: AttentionForm): Uint8Array[] {
  return work.kind === "gpt" ? gptModel(work, attention) : codecModel(work);
}

/** Input of {@link onnxModel}'s graph. */
export function onnxInputShape(work: Work): number[] {
  return work.kind === "gpt" ? [1, work.rows, work.width] : [1, work.frames, 128];
}

/** Keys and values of the past are constants and new ones are not written back, which spares this contender copies. */
function gptModel(work: GptWork, attention: AttentionForm): Uint8Array[] {
  const { layers, width: D, rows } = work;
  const specs = tensorsOf(work);
  const graph = new OnnxGraph();
  const constant = (name: string): string => graph.constant(name, specs[name].shape, valuesOf(specs[name]));
  graph.integers("thirds", [D, D, D]);
  graph.constant("ones", [D], new Float32Array(D).fill(1));
  graph.constant("zeros", [D], new Float32Array(D));
  const attend = attention === "fused" ? fusedAttention(graph, work) : plainAttention(graph, work);
  const norm = (x: string, name: string): string =>
    graph.node("LayerNormalization", [x, "ones", "zeros"], name, { axis: -1, epsilon: { float: 1e-5 } });
  let x = "x";
  for (let i = 0; i < layers; i++) {
    const at = (name: string): string => `${name} ${i}`;
    graph.node("MatMul", [norm(x, at("norm1")), constant(`qkv.${i}`)], at("qkv"));
    graph.node("Split", [at("qkv"), "thirds"], ["q", "k", "v"].map(at), { axis: -1 });
    graph.node("MatMul", [attend(i, at), constant(`out.${i}`)], at("out"));
    const middle = graph.node("Add", [x, at("out")], at("middle"));
    graph.node("MatMul", [norm(middle, at("norm2")), constant(`mlp_in.${i}`)], at("mlp in"));
    graph.node("Gelu", [at("mlp in")], at("gelu"), {}, contributed);
    graph.node("MatMul", [at("gelu"), constant(`mlp_out.${i}`)], at("mlp out"));
    x = graph.node("Add", [middle, at("mlp out")], at("x"));
  }
  return graph.finish("x", [1, rows, D], x, [1, rows, D]);
}

/** Adds the attention of layer `i` over its values `q`, `k` and `v`, named by `at`. @returns its result's name. */
type Attend = (i: number, at: (name: string) => string) => string;

function fusedAttention(graph: OnnxGraph, work: GptWork): Attend {
  const { heads, rows, past, causal } = work;
  const attributes = { num_heads: heads, unidirectional: causal && rows > 1 ? 1 : 0 };
  return (i, at) => {
    const inputs = ["q", "k", "v"].map(at);
    if (past === 0) return graph.node("MultiHeadAttention", inputs, at("a"), attributes, contributed);
    const given = [...inputs, "", "", "", ...pastOf(graph, work, i)];
    return graph.node("MultiHeadAttention", given, ["a", "k now", "v now"].map(at), attributes, contributed);
  };
}

function plainAttention(graph: OnnxGraph, work: GptWork): Attend {
  const { heads, width, rows, past, causal } = work;
  graph.integers("by head", [1, rows, heads, width / heads]);
  graph.integers("joined", [1, rows, width]);
  graph.constant("scale", [1], Float32Array.of(1 / Math.sqrt(width / heads)));
  if (causal && rows > 1) graph.constant("mask", [1, 1, rows, rows], causalMask(rows));
  return (i, at) => {
    for (const name of ["q", "k", "v"]) {
      graph.node("Reshape", [at(name), "by head"], at(`${name} by head`));
      graph.node("Transpose", [at(`${name} by head`)], at(`${name} new`), { perm: [0, 2, 1, 3] });
    }
    let [k, v] = [at("k new"), at("v new")];
    if (past > 0) {
      const [pastK, pastV] = pastOf(graph, work, i);
      k = graph.node("Concat", [pastK, k], at("k all"), { axis: 2 });
      v = graph.node("Concat", [pastV, v], at("v all"), { axis: 2 });
    }
    graph.node("Transpose", [k], at("k columns"), { perm: [0, 1, 3, 2] });
    graph.node("MatMul", [at("q new"), at("k columns")], at("products"));
    let scores = graph.node("Mul", [at("products"), "scale"], at("scores"));
    if (causal && rows > 1) scores = graph.node("Add", [scores, "mask"], at("masked"));
    graph.node("Softmax", [scores], at("probabilities"), { axis: -1 });
    graph.node("MatMul", [at("probabilities"), v], at("a by head"));
    graph.node("Transpose", [at("a by head")], at("a by row"), { perm: [0, 2, 1, 3] });
    return graph.node("Reshape", [at("a by row"), "joined"], at("a"));
  };
}

/** Keys and values of the past with a batch axis. */
function pastOf(graph: OnnxGraph, work: GptWork, layer: number): string[] {
  const specs = tensorsOf(work);
  return [`past_k.${layer}`, `past_v.${layer}`].map((name) =>
    graph.constant(name, [1, ...specs[name].shape], valuesOf(specs[name])),
  );
}

function causalMask(rows: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * rows }, (_, i) => (i % rows > Math.floor(i / rows) ? -1e9 : 0));
}

/** torch's gates i, f, g, o in ONNX's order i, o, f, g. */
function onnxGates(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const size = values.length / 4;
  const result = new Float32Array(values.length);
  for (const [to, from] of [0, 3, 1, 2].entries())
    result.set(values.subarray(from * size, (from + 1) * size), to * size);
  return result;
}

function codecModel(work: CodecWork): Uint8Array[] {
  const specs = tensorsOf(work);
  const graph = new OnnxGraph();
  const constant = (name: string): string => graph.constant(name, specs[name].shape, valuesOf(specs[name]));
  const conv = (x: string, name: string, kernel: number): string => {
    let padded = x;
    if (kernel > 1) {
      const pads = graph.integers(`${name} pads`, [0, 0, kernel - 1, 0, 0, 0]);
      padded = graph.node("Pad", [x, pads], `${name} padded`, { mode: "reflect" });
    }
    return graph.node("Conv", [padded, constant(`${name}.weight`), constant(`${name}.bias`)], name);
  };
  const elu = (x: string): string => graph.node("Elu", [x], `elu of ${x}`);

  graph.node("Transpose", ["x"], "channels first", { perm: [0, 2, 1] });
  let x = recordLstm(graph, conv("channels first", "first", 7), specs);
  let length = work.frames;
  for (const [i, stride] of codecStrides.entries()) {
    const weights = [constant(`up.${i}.weight`), constant(`up.${i}.bias`)];
    graph.node("ConvTranspose", [elu(x), ...weights], `up.${i} untrimmed`, { strides: [stride] });
    length *= stride;
    const range = [graph.integers(`up.${i} begin`, [0]), graph.integers(`up.${i} end`, [length])];
    x = graph.node("Slice", [`up.${i} untrimmed`, ...range, graph.integers(`up.${i} axis`, [2])], `up.${i}`);
    const inner = conv(elu(x), `inner.${i}`, 3);
    const outer = conv(elu(inner), `outer.${i}`, 1);
    x = graph.node("Add", [conv(x, `shortcut.${i}`, 1), outer], `residual.${i}`);
  }
  return graph.finish("x", [1, work.frames, 128], conv(elu(x), "last", 7), [1, 1, length]);
}

/** Both layers and the connection around them. x: [1, channels, frames]. */
function recordLstm(graph: OnnxGraph, x: string, specs: ReturnType<typeof tensorsOf>): string {
  const hidden = codecChannels;
  let y = graph.node("Transpose", [x], "time first", { perm: [2, 0, 1] });
  const direction = graph.integers("direction", [1]);
  for (const layer of [0, 1]) {
    const [ih, hh, biasIh, biasHh] = ["ih", "hh", "bias_ih", "bias_hh"].map((part) =>
      onnxGates(valuesOf(specs[`lstm.${part}.${layer}`])),
    );
    const bias = new Float32Array(8 * hidden);
    bias.set(biasIh);
    bias.set(biasHh, 4 * hidden);
    const inputs = [
      y,
      graph.constant(`W ${layer}`, [1, 4 * hidden, hidden], ih),
      graph.constant(`R ${layer}`, [1, 4 * hidden, hidden], hh),
      graph.constant(`B ${layer}`, [1, 8 * hidden], bias),
    ];
    graph.node("LSTM", inputs, `lstm ${layer}`, { hidden_size: hidden });
    y = graph.node("Squeeze", [`lstm ${layer}`, direction], `h ${layer}`);
  }
  graph.node("Transpose", [y], "lstm", { perm: [1, 2, 0] });
  return graph.node("Add", [x, "lstm"], "lstm and input");
}
