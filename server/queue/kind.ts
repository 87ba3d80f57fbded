import { hashOf } from "../../speech/book/hash.ts";

/** What must be the same for a worker to speak a piece of a book. */
export interface Kind {
  /** Of bark-webgpu. */
  readonly version: string;
  /** Fingerprint of the checkpoint. */
  readonly checkpoint: string;
  /** Of the weights on the GPU. */
  readonly dtype: string;
  /** Id of the store. */
  readonly store: string;
}

/**
 * Name of the queue of a kind. Each kind has one of its own: a worker never takes a piece that it would have to hand back,
 * and no piece loses a try to a worker that lacks what it needs.
 */
export async function queueOf({ version, checkpoint, dtype, store }: Kind): Promise<string> {
  return `pieces-${(await hashOf({ version, checkpoint, dtype, store })).slice(0, 16)}`;
}

/** How a worker differs from what a book wants, for people; undefined if it does not. */
export function differenceOf(book: Kind, worker: Kind): string | undefined {
  const differences = [
    book.version !== worker.version && `version ${worker.version} instead of ${book.version}`,
    book.checkpoint !== worker.checkpoint && "another checkpoint (-m)",
    book.dtype !== worker.dtype && `--dtype ${worker.dtype} instead of ${book.dtype}`,
    book.store !== worker.store && "another --store",
  ].filter((difference) => difference !== false);
  return differences.length === 0 ? undefined : differences.join(", ");
}
