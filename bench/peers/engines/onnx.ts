/** Writes ONNX files without any library: the few messages of onnx.proto3 that a graph of constants and nodes needs. */

/** Appends the fields of one protobuf message. */
class Message {
  readonly chunks: Uint8Array[] = [];
  size = 0;

  append(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.size += bytes.length;
  }

  varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest > 0n ? low | 0x80 : low);
    } while (rest > 0n);
    this.append(Uint8Array.from(bytes));
  }

  int(field: number, value: number | bigint): this {
    this.varint(field << 3);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint((field << 3) | 5);
    this.append(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.varint((field << 3) | 2);
    this.varint(bytes.length);
    this.append(bytes);
    return this;
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    this.varint((field << 3) | 2);
    this.varint(message.size);
    for (const chunk of message.chunks) this.append(chunk);
    return this;
  }
}

type Attribute = number | string | readonly number[] | { readonly float: number };

const types = { float: 1, int: 2, string: 3, ints: 7 } as const;
const float32 = 1;
const int32 = 6;
const int64 = 7;

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, types.int);
  if (typeof value === "string") return message.text(4, value).int(20, types.string);
  if ("float" in value) return message.float(2, value.float).int(20, types.float);
  for (const item of value) message.int(8, item);
  return message.int(20, types.ints);
}

/** A graph under construction. Values are named; every node is named after its first output. */
export class OnnxGraph {
  readonly #graph = new Message();

  /** Adds a constant. */
  constant(name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>): string {
    return this.#initializer(name, shape, float32, new Uint8Array(values.buffer));
  }

  integers(name: string, values: readonly number[]): string {
    return this.#initializer(name, [values.length], int64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  #initializer(name: string, shape: readonly number[], type: number, bytes: Uint8Array): string {
    const tensor = new Message();
    for (const extent of shape) tensor.int(1, extent);
    this.#graph.message(5, tensor.int(2, type).text(8, name).bytes(9, bytes));
    return name;
  }

  /** Adds a node; an empty input stands for one that is left out. @returns the name of its first output. */
  node(
    type: string,
    inputs: readonly string[],
    output: string | readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = "",
  ): string {
    const outputs = typeof output === "string" ? [output] : output;
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    for (const name of outputs) node.text(2, name);
    node.text(3, `${outputs.find((name) => name !== "")} node`).text(4, type);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (domain !== "") node.text(7, domain);
    this.#graph.message(1, node);
    return outputs[0];
  }

  /** Adds an input of ids. */
  idInput(name: string, shape: readonly number[]): string {
    this.#graph.message(11, this.#value(name, shape, int32));
    return name;
  }

  #value(name: string, shape: readonly number[], type = float32): Message {
    const extents = new Message();
    for (const extent of shape) extents.message(1, new Message().int(1, extent));
    const typed = new Message().message(1, new Message().int(1, type).message(2, extents));
    return new Message().text(1, name).message(2, typed);
  }

  /** The bytes of the model, in parts: together they may be larger than one array can be. @param input of floats, if any. */
  finish(
    input: string | undefined,
    inputShape: readonly number[],
    output: string,
    outputShape: readonly number[],
  ): Uint8Array[] {
    this.#graph.text(2, "bench");
    if (input !== undefined) this.#graph.message(11, this.#value(input, inputShape));
    this.#graph.message(12, this.#value(output, outputShape));
    const opset = (domain: string, version: number): Message => new Message().text(1, domain).int(2, version);
    const model = new Message().int(1, 8).text(2, "bark-webgpu bench").message(7, this.#graph);
    return model.message(8, opset("", 17)).message(8, opset("com.microsoft", 1)).chunks;
  }
}
