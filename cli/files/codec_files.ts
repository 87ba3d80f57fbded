import { readNpy } from "../../checkpoint/numpy/npy.ts";
import { NpzFile } from "../../checkpoint/numpy/npz.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { FileSource } from "../../checkpoint/node/file_source.ts";
import type { EncodecConfig } from "../../bark/config/config.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { decode_wav, type WavAudio } from "../../audio/wav_reader.ts";

/** @throws EngineError `bad-input` if there is no such file or it is not a WAV file. */
export async function readWav(file: string, onNotice: OnNotice): Promise<WavAudio> {
  return await withFile(file, async (source) => decode_wav(await source.read(0, source.size), file, onNotice));
}

/**
 * Codes [codebooks, frames] out of an `.npy`, or of `codes` or (a voice) `fine_prompt` in an `.npz`.
 * @throws EngineError `bad-input` naming what does not fit the codec.
 */
export async function readCodes(file: string, config: EncodecConfig): Promise<NdArray> {
  const array = await withFile(file, async (source) => {
    if (/\.npy$/i.test(file)) return await readNpy(source);
    const npz = await NpzFile.open(source);
    return (
      (await npz.read("codes")) ??
      (await npz.read("fine_prompt")) ??
      refuse(file, "holds no codes", "codes or fine_prompt", npz.names.join(", "))
    );
  });
  return checkCodes(array, config, file);
}

function checkCodes({ data, shape }: NdArray, config: EncodecConfig, file: string): NdArray {
  const { codebook_size: size, num_quantizers } = config;
  const [codebooks, frames] = shape.slice(-2);
  const leading = shape.slice(0, -2);
  if (
    shape.length < 2 ||
    leading.some((extent) => extent !== 1) ||
    codebooks < 1 ||
    codebooks > num_quantizers ||
    frames < 1
  )
    return refuse(
      file,
      "has another shape than codes",
      `[1 to ${num_quantizers} codebooks, at least 1 frame]`,
      `[${shape.join(", ")}]`,
    );
  const wrong = data.findIndex((code: number) => !Number.isInteger(code) || code < 0 || code >= size);
  if (wrong >= 0) {
    const where = `${data[wrong]} in codebook ${Math.floor(wrong / frames)}, frame ${wrong % frames}`;
    return refuse(file, "holds a code that is outside its codebook", `0 to ${size - 1}`, where);
  }
  return new NdArray(Int32Array.from(data), [codebooks, frames]);
}

async function withFile<T>(file: string, read: (source: FileSource) => Promise<T>): Promise<T> {
  const source = await FileSource.open(file);
  if (source === undefined) throw new EngineError("bad-input", "no such file", { where: file });
  try {
    return await read(source);
  } finally {
    await source.close();
  }
}

function refuse(where: string, message: string, expected: string, actual: string): never {
  throw new EngineError("bad-input", message, { where, expected, actual });
}
