import type { EmbeddingOperation, Operation } from "../../kernels/cases/operation.ts";
import { OnnxGraph } from "../engines/onnx.ts";
import { CapturingDevice } from "./capture.ts";
import type { Libraries, Ort, OrtSession, OrtTensor } from "./libraries.ts";
import { byHead, resultLength, transposed } from "./layouts.ts";
import { RecordedPeer, type PreparedOperation } from "./recorded_peer.ts";

/** Kernels of onnxruntime-web's WebGPU provider, which runs in Node where somebody gives it a `navigator.gpu`. */
export async function ortWebPeer({ openAdapter, ort: load }: Libraries): Promise<RecordedPeer> {
  const ort = await load();
  const capturing = await CapturingDevice.during(openAdapter, async () => {
    // It opens its device with its first session.
    const graph = new OnnxGraph();
    const session = await create(ort, graph.finish("x", [4], graph.node("Elu", ["x"], "y"), [4]));
    await session.run({ x: new ort.Tensor("float32", new Float32Array(4), [4]) });
  });
  return new RecordedPeer("onnxruntime-web", capturing, (operation) => prepare(ort, operation));
}

async function create(ort: Ort, chunks: readonly Uint8Array[]): Promise<OrtSession> {
  const model = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  return await ort.InferenceSession.create(model, {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
    logSeverityLevel: 3,
  });
}

async function prepare(ort: Ort, operation: Operation): Promise<PreparedOperation> {
  const { model, inputs } = modelOf(operation);
  const session = await create(ort, model);
  const results: OrtTensor[] = [];
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [
      name,
      new ort.Tensor(values instanceof Float32Array ? "float32" : "int32", values, shape),
    ]),
  );
  return {
    run: async () => {
      const y = (await session.run(feeds))[session.outputNames[0]];
      results.push(y);
      return async () => laidOut(operation, await y.getData());
    },
    dispose: async () => {
      for (const result of results) result.dispose();
      await session.release();
    },
  };
}

/** Convolutions have channels first. */
function laidOut(operation: Operation, values: Float32Array): Float32Array {
  if (operation.kind !== "conv1d" && operation.kind !== "conv_transpose1d") return values;
  return transposed(values, operation.outChannels, resultLength(operation));
}

interface Model {
  readonly model: readonly Uint8Array[];
  readonly inputs: Readonly<Record<string, Input>>;
}
interface Input {
  readonly values: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** Contributed operators of onnxruntime. */
const contributed = "com.microsoft";

function modelOf(operation: Operation): Model {
  const graph = new OnnxGraph();
  const norm = (x: string, weight: Float32Array<ArrayBuffer>): string => {
    const width = weight.length;
    const scale = [
      graph.constant("scale", [width], weight),
      graph.constant("no bias", [width], new Float32Array(width)),
    ];
    return graph.node("LayerNormalization", [x, ...scale], "norm", { axis: -1, epsilon: { float: 1e-5 } });
  };
  if (operation.kind === "layernorm") {
    const shape = [1, operation.rows, operation.width];
    const y = norm("x", operation.weight);
    return { model: graph.finish("x", shape, y, shape), inputs: { x: { values: operation.x, shape } } };
  }
  if (operation.kind === "embedding") return embeddingModel(graph, operation);
  if (operation.kind === "matmul") {
    const { rows, inner, columns, normWeight } = operation;
    const weight = graph.constant("weight", [inner, columns], transposed(operation.weight, columns, inner));
    let y = graph.node("MatMul", [normWeight === undefined ? "x" : norm("x", normWeight), weight], "product");
    if (operation.gelu) y = graph.node("Gelu", [y], "gelu", {}, contributed);
    if (operation.residual) {
      const residual = graph.constant("residual", [1, rows, columns], new Float32Array(rows * columns));
      y = graph.node("Add", [residual, y], "sum");
    }
    const shape = [1, rows, inner];
    return { model: graph.finish("x", shape, y, [1, rows, columns]), inputs: { x: { values: operation.x, shape } } };
  }
  if (operation.kind === "attention") {
    const { rows, past, heads, headDim, causal, qkv, pastK, pastV } = operation;
    const width = heads * headDim;
    const thirds = graph.integers("thirds", [width, width, width]);
    graph.node("Split", ["x", thirds], ["q", "k", "v"], { axis: -1 });
    const attributes = { num_heads: heads, unidirectional: causal ? 1 : 0 };
    const given = (name: string, values: Float32Array): string =>
      graph.constant(name, [1, heads, past, headDim], byHead(values, past, heads, headDim));
    const pasts = past > 0 ? ["", "", "", given("past k", pastK), given("past v", pastV)] : [];
    const outputs = past > 0 ? ["y", "k now", "v now"] : "y";
    const y = graph.node("MultiHeadAttention", ["q", "k", "v", ...pasts], outputs, attributes, contributed);
    const shape = [1, rows, 3 * width];
    return { model: graph.finish("x", shape, y, [1, rows, width]), inputs: { x: { values: qkv, shape } } };
  }
  const { inChannels, outChannels, kernelSize, stride, length } = operation;
  const shape = [1, inChannels, length];
  const values = transposed(operation.x, length, inChannels);
  const bias = graph.constant("bias", [outChannels], operation.bias);
  let y: string;
  if (operation.kind === "conv1d") {
    const weight = graph.constant("weight", [outChannels, inChannels, kernelSize], operation.weight);
    const pads = graph.integers("pads", [0, 0, kernelSize - 1, 0, 0, 0]);
    const padded = kernelSize > 1 ? graph.node("Pad", ["x", pads], "padded", { mode: "reflect" }) : "x";
    y = graph.node("Conv", [padded, weight, bias], "convolution");
  } else {
    const weight = graph.constant("weight", [inChannels, outChannels, kernelSize], operation.weight);
    graph.node("ConvTranspose", ["x", weight, bias], "untrimmed", { strides: [stride] });
    const range = [graph.integers("begin", [0]), graph.integers("end", [resultLength(operation)])];
    y = graph.node("Slice", ["untrimmed", ...range, graph.integers("axis", [2])], "trimmed");
  }
  const outputShape = [1, outChannels, resultLength(operation)];
  const model = graph.finish("x", shape, graph.node("Elu", [y], "elu"), outputShape);
  return { model, inputs: { x: { values, shape } } };
}

function embeddingModel(
  graph: OnnxGraph,
  { rows, width, vocabulary, tables, places, positions }: EmbeddingOperation,
): Model {
  const inputs: Record<string, Input> = {};
  // Ids are inputs: of constants alone a session computes the result when it is made.
  const gather = (name: string, table: Float32Array<ArrayBuffer>, entries: number, ids: Int32Array): string => {
    inputs[`ids ${name}`] = { values: ids, shape: [1, rows] };
    const operands = [
      graph.constant(`table ${name}`, [entries, width], table),
      graph.idInput(`ids ${name}`, [1, rows]),
    ];
    return graph.node("Gather", operands, `entries ${name}`, { axis: 0 });
  };
  const gathered = tables.map(({ table, ids }, q) => gather(String(q), table, vocabulary, ids));
  gathered.push(
    gather(
      "of places",
      positions,
      places,
      Int32Array.from({ length: rows }, (_, row) => row),
    ),
  );
  const y = gathered.reduce((sum, entries) => graph.node("Add", [sum, entries], `${sum}, ${entries}`));
  return { model: graph.finish(undefined, [], y, [1, rows, width]), inputs };
}
