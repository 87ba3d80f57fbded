import { fstatSync } from "node:fs";
import { open_encoder } from "../../audio/encode/encoder.ts";
import type { AudioTags } from "../../audio/encode/tags.ts";
import { writeFileAtomically } from "../../checkpoint/node/atomic_file.ts";
import { defined } from "../../engine/check/defined.ts";
import type { SayOptions } from "../say_options.ts";

/** A file on standard output that is written while the sound is made. */
export interface LiveFile {
  /** Returns at once: what the reader does not take yet waits. */
  push(samples: Float32Array): void;
  /** Waits until all is written. @throws EngineError `io`. */
  finish(): Promise<void>;
}

/** Whether somebody reads while it is written: a file gets its right length in the header instead. */
export function isLive({ output }: SayOptions): boolean {
  if (!output.isStandardOutput) return false;
  const out = fstatSync(1);
  return out.isFIFO() || out.isSocket();
}

/** @throws EngineError `usage` for what the format cannot hold. */
export async function openLiveFile(
  { output, audioFormat, format, bitrate }: SayOptions,
  sizes: { sampling_rate: number; channels: number },
  tags: AudioTags,
): Promise<LiveFile> {
  const encoder = await open_encoder(audioFormat, { ...sizes, tags, format, ...defined({ bitrate }) });
  const samples: Float32Array[] = [];
  let wake = (): void => undefined;
  let isFinished = false;
  const written = writeFileAtomically(output.path, bytes());
  written.catch(() => undefined); // finish() tells it.
  return {
    push: (part) => {
      samples.push(part);
      wake();
    },
    finish: async () => {
      isFinished = true;
      wake();
      await written;
    },
  };

  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const next = samples.shift();
      if (next !== undefined) yield await encoder.push(next);
      else if (isFinished) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    yield await encoder.finish();
  }
}
