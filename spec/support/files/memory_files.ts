import type { ByteSource } from "../../../checkpoint/sources/byte_source.ts";
import type { FileStore } from "../../../checkpoint/stores/file_store.ts";

/** A checkpoint whose files are given as text or bytes. */
export function storeOf(files: Record<string, string | Uint8Array>): FileStore {
  return {
    name: "memory",
    open: (path) => Promise.resolve(path in files ? sourceOf(`memory/${path}`, files[path]) : undefined),
  };
}

function sourceOf(name: string, content: string | Uint8Array): ByteSource {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : Uint8Array.from(content);
  return {
    name,
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}
