import { expect } from "chai";
import { EncodecConfig } from "../../encodec/config.ts";
import { EncodecEncoder } from "../../encodec/encoder.ts";
import { EngineError } from "../../engine/errors.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { SafetensorsCheckpoint } from "../../checkpoint/safetensors/checkpoint.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { expectTokens, readFloats, type FloatsFile } from "../support/fixture.ts";
import { weightFiles, type FixtureTensor } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { readFixtureJson } from "../support/runtime.ts";

interface EncoderRun {
  /** Of the signal, from its start on. */
  samples: number;
  bandwidth: number;
  /** [codebooks][frames] */
  codes: number[][];
}

interface EncoderCase {
  name: string;
  config: JsonObject;
  tensors: FixtureTensor[];
  outputs: EncoderRun[];
}

interface EncoderFixture {
  signal: FloatsFile;
  cases: EncoderCase[];
}

const { signal, cases } = await readFixtureJson<EncoderFixture>("encoder/cases.json");

describe("parity of the EnCodec encoder", () => {
  let audio: Float32Array;
  before(async () => {
    audio = await readFloats("encoder", signal);
  });

  async function loadEncoder(name: string): Promise<EncodecEncoder> {
    const { config, tensors } = cases.find((found) => found.name === name)!;
    const reader = await SafetensorsCheckpoint.open(new MemoryStore(weightFiles(tensors)));
    return await EncodecEncoder.load(await sharedGpu(), reader, "codec_model.", new EncodecConfig(config));
  }

  /** The first samples of as many channels as the codec has. */
  function firstSamples(encoder: EncodecEncoder, samples: number): Float32Array {
    const [, length] = signal.shape;
    const rows = Array.from({ length: encoder.config.audio_channels }, (_, row) => [
      ...audio.subarray(row * length, row * length + samples),
    ]);
    return Float32Array.from(rows.flat());
  }

  for (const { name, outputs } of cases)
    it(`${name.replaceAll("_", " ")}: all codes are transformers'`, async () => {
      const encoder = await loadEncoder(name);
      try {
        for (const { samples, bandwidth, codes } of outputs) {
          const encoded = await encoder.encode(firstSamples(encoder, samples), { bandwidth });
          expectTokens(encoded.tolist() as number[][], codes, `${samples} samples at ${bandwidth} kbit/s`);
        }
      } finally {
        encoder.dispose();
      }
    });

  for (const name of ["plain", "not_causal_residuals", "stereo"])
    it(`${name.replaceAll("_", " ")}: in chunks of 1 to 7 frames, the codes are the same`, async () => {
      const encoder = await loadEncoder(name);
      try {
        const { samples, bandwidth, codes } = cases.find((found) => found.name === name)!.outputs.at(-1)!;
        for (const chunkFrames of [1, 2, 3, 7]) {
          const encoded = await encoder.encode(firstSamples(encoder, samples), { bandwidth, chunkFrames });
          expectTokens(encoded.tolist() as number[][], codes, `chunks of ${chunkFrames}`);
        }
      } finally {
        encoder.dispose();
      }
    });

  const wrong: readonly [name: string, samples: number[], bandwidth: number, says: RegExp][] = [
    ["no samples", [], 0.5, /audio: .*at least one sample/],
    ["a sample that is not a number", [0, NaN], 0.5, /audio: .*NaN at 1/],
    ["an unknown bandwidth", [0], 2, /bandwidth: .*one of 0\.5, 1, 4, got 2/],
  ];
  for (const [name, samples, bandwidth, says] of wrong)
    it(`refuses ${name}`, async () => {
      const encoder = await loadEncoder("plain");
      const error = await encoder
        .encode(Float32Array.from(samples), { bandwidth })
        .catch((error: unknown) => error)
        .finally(() => encoder.dispose());
      expect(error).instanceOf(EngineError);
      expect((error as EngineError).toLine()).match(says);
    });
});
