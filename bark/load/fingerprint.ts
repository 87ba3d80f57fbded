import { readTextFile } from "../../checkpoint/json_file.ts";
import { openWeights } from "../../checkpoint/open_weights.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";

/** What of a checkpoint decides how it speaks, beside its weights. */
const texts = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.txt",
];

/**
 * Tells one checkpoint from another by its small files and, of every tensor, its name, dtype, shape and two rows: another
 * training changes all rows, and a hash of 4 GB takes as long as speaking a page. Hexadecimal digits of a SHA-256.
 * @throws EngineError `bad-input` as opening the weights.
 */
export async function fingerprintOf(store: FileStore): Promise<string> {
  const lines: string[] = [];
  for (const name of texts) lines.push(`${name} ${await digest((await readTextFile(store, name)) ?? "")}`);
  const weights = await openWeights(store);
  try {
    for (const name of [...weights.names()].sort()) {
      const { dtype, shape } = weights.info(name);
      const rows = shape.length === 0 ? [] : [...new Set([0, shape[0] >> 1])];
      const values = shape.includes(0) ? new Float32Array() : await read(rows);
      lines.push(`${name} ${dtype} ${shape.join(",")} ${await digest(values)}`);

      async function read(rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
        // Integers, which no weight is, are known by their shape.
        if (!/^(?:F|BF|Q)/.test(dtype)) return new Float32Array();
        return rows.length === 0 ? await weights.readFloat32(name) : await weights.gatherRows(name, rows);
      }
    }
  } finally {
    await weights.close();
  }
  return await digest(lines.join("\n"));
}

async function digest(content: string | Float32Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
