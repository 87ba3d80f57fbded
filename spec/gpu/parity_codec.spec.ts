import { expect } from "chai";
import { EncodecConfig } from "../../encodec/config.ts";
import { EncodecDecoder } from "../../encodec/decoder.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { SafetensorsCheckpoint } from "../../checkpoint/safetensors/checkpoint.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { expectClose } from "../support/close.ts";
import { readFloats, tolerance, type CodecOutput } from "../support/fixture.ts";
import { weightFiles, type FixtureTensor } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { readFixtureJson } from "../support/runtime.ts";

interface CodecCase {
  name: string;
  config: JsonObject;
  tensors: FixtureTensor[];
  outputs: CodecOutput[];
}

const cases = await readFixtureJson<CodecCase[]>("codec/cases.json");

describe("parity of the EnCodec decoder in other configurations", () => {
  for (const { name, config, tensors, outputs } of cases)
    it(name.replaceAll("_", " "), async () => {
      const reader = await SafetensorsCheckpoint.open(new MemoryStore(weightFiles(tensors)));
      const decoder = await EncodecDecoder.load(await sharedGpu(), reader, "codec_model.", new EncodecConfig(config));
      try {
        for (const { codes, audio } of outputs) {
          const decoded = await decoder.decode(framesFirst(codes), codes[0].length);
          expect(decoded.shape).to.deep.equal(audio.shape);
          expectClose(decoded.data, await readFloats("codec", audio), tolerance, audio.file);
          for (const chunkFrames of [1, 3, 10]) {
            const again = await decoder.decode(framesFirst(codes), codes[0].length, { chunkFrames });
            expectClose(again.data, decoded.data, { absolute: 1e-6 }, `${audio.file} in chunks of ${chunkFrames}`);
          }
        }
      } finally {
        decoder.dispose();
      }
    });
});

/** [codebooks][frames] as [frames, codebooks], row-major. */
function framesFirst(codes: readonly (readonly number[])[]): Int32Array {
  return Int32Array.from(codes[0].flatMap((_, frame) => codes.map((row) => row[frame])));
}
