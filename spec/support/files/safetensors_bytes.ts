/**
 * A safetensors file from its parts, so that each may be wrong.
 * @param header JSON, text or raw bytes. @param data the tensors' bytes, or how many zeros.
 */
export function safetensorsBytes(header: object | string | Uint8Array, data: Uint8Array | number = 0): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = header instanceof Uint8Array ? header : new TextEncoder().encode(text);
  const tensors = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + json.length + tensors.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(tensors, 8 + json.length);
  return file;
}

/** The bytes of a typed array, as they lie in memory. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
