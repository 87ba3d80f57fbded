import type { Program } from "../../engine/program/program.ts";
import { Scope } from "../../engine/scope.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { KvCache } from "../../kernels/attention/shape.ts";

/** Voices whose prefix is kept: those of a dialogue. With suno's voices and bark-small 15 MB each. */
const mostHeld = 4;

interface Held {
  readonly scope: Scope;
  /** Of each layer. K, V: [prefix, H] */
  readonly caches: readonly KvCache[];
  /** Copies of it that are under way: it is freed behind the last. */
  users: number;
  isDropped: boolean;
}

/**
 * Keys and values of the positions with which all inputs of a voice begin, whatever the text: pieces of a long text copy them in place of
 * computing them again. A prefix is kept from its second use on, so that one sentence leaves nothing on the GPU.
 */
export class VoicePrefixes {
  /** Copied so far, for tests. */
  copied = 0;
  readonly #gpu: Gpu;
  readonly #width: number;
  readonly #capacity: number;
  /** By their ids, the last used last; `undefined`: used once. */
  readonly #held = new Map<string, Held | undefined>();

  /** @param shape of caches, [rows, block_size, H]. */
  constructor(gpu: Gpu, { block_size, hidden_size }: { readonly block_size: number; readonly hidden_size: number }) {
    this.#gpu = gpu;
    this.#capacity = block_size;
    this.#width = hidden_size;
  }

  /** Copies a prefix into every row of caches. @returns whether it is there. */
  async restore(ids: readonly number[], caches: readonly KvCache[], rows: number): Promise<boolean> {
    const held = this.#held.get(ids.join());
    if (held === undefined) return false;
    held.users++;
    try {
      await this.#run((program) => {
        for (let row = 0; row < rows; row++) this.#copy(program, held.caches, 0, caches, row, ids.length);
      });
    } finally {
      held.users--;
      if (held.isDropped) drop(held);
    }
    this.copied += rows;
    return true;
  }

  /** Keeps a prefix that row 0 of caches holds, if it was used before. */
  async keep(ids: readonly number[], caches: readonly KvCache[]): Promise<void> {
    const key = ids.join();
    const wasUsed = this.#held.has(key);
    let held = this.#held.get(key);
    this.#held.delete(key);
    if (wasUsed && held === undefined) {
      held = await Scope.whole(this.#gpu, async (scope) => {
        const tensor = () => scope.tensor("f32", [ids.length, this.#width], "voice prefix");
        const own = caches.map(() => ({ k: tensor(), v: tensor() }));
        await this.#run((program) => this.#copy(program, caches, 0, own, 0, ids.length));
        return { scope, caches: own, users: 0, isDropped: false };
      });
    }
    this.#held.set(key, held);
    const [oldest] = this.#held.keys();
    if (this.#held.size <= mostHeld) return;
    const dropped = this.#held.get(oldest);
    this.#held.delete(oldest);
    if (dropped !== undefined) drop(dropped);
  }

  dispose(): void {
    for (const held of this.#held.values()) held?.scope.dispose();
    this.#held.clear();
  }

  async #run(record: (program: Program) => void): Promise<void> {
    const program = this.#gpu.program("voice prefix");
    try {
      record(program);
      await program.run();
    } finally {
      program.dispose();
    }
  }

  #copy(
    program: Program,
    from: readonly KvCache[],
    fromRow: number,
    to: readonly KvCache[],
    toRow: number,
    positions: number,
  ): void {
    const at = ({ first = 0 }: KvCache, row: number): number => first + row * this.#capacity * this.#width;
    for (const [layer, source] of from.entries())
      for (const part of ["k", "v"] as const)
        program.copy(source[part], at(source, fromRow), to[layer][part], at(to[layer], toRow), positions * this.#width);
  }
}

function drop(held: Held): void {
  held.isDropped = true;
  if (held.users === 0) held.scope.dispose();
}
