import { expect } from "chai";
import { EncodecModel } from "../../bark/encodec_model.ts";
import { EngineError } from "../../engine/errors.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { namedRows, testMisspelt, testRows } from "../support/argument_rows.ts";
import { readFloats, type FloatsFile } from "../support/fixture.ts";
import { weightFiles, type FixtureTensor } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { readFixtureJson } from "../support/runtime.ts";

interface EncoderFixture {
  signal: FloatsFile;
  cases: {
    name: string;
    config: JsonObject;
    tensors: FixtureTensor[];
    outputs: { samples: number; bandwidth: number; codes: number[][] }[];
  }[];
}

describe("EncodecModel", () => {
  let model: EncodecModel;
  let audio: Float32Array<ArrayBuffer>;
  let run: EncoderFixture["cases"][number]["outputs"][number];
  before(async () => {
    const { signal, cases } = await readFixtureJson<EncoderFixture>("encoder/cases.json");
    const { config, tensors, outputs } = cases.find(({ name }) => name === "plain")!;
    run = outputs.at(-1)!;
    audio = Float32Array.from((await readFloats("encoder", signal)).subarray(0, run.samples));
    // A checkpoint of the encoder and the quantizer alone: each half is read when it is used first.
    const files = weightFiles(tensors.map((tensor) => ({ ...tensor, formula: tensor.name, name: alone(tensor.name) })));
    files.set("config.json", new TextEncoder().encode(JSON.stringify({ model_type: "encodec", ...config })));
    model = await EncodecModel.from_pretrained(new MemoryStore(files, "codec"), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  const alone = (name: string): string => name.replace(/^codec_model\./, "");

  it("encodes a batch, each row as alone", async () => {
    const rows = Float32Array.from([...audio, ...audio.map((value) => -value)]);
    const { bandwidth } = run;
    const { audio_codes } = await model.encode(new NdArray(rows, [2, 1, run.samples]), { bandwidth });
    expect(audio_codes.shape).deep.equal([1, 2, run.codes.length, run.codes[0].length]);
    expect(audio_codes.row(0).row(0).tolist()).deep.equal(run.codes);
    const second = await model.encode(
      audio.map((value) => -value),
      { bandwidth },
    );
    expect(audio_codes.row(0).row(1).tolist()).deep.equal(second.audio_codes.row(0).row(0).tolist());
  });

  const encode = (args: object): unknown => model.encode(audio, args);
  testRows([
    { call: "encode", argument: "input_values", isRequired: true, give: (value) => model.encode(value as number[]) },
    ...namedRows("encode", encode, { bandwidth: ["null"], signal: ["null"], on_progress: ["null", "function"] }),
  ]);
  testMisspelt("encode", ["bandwidth", "signal", "on_progress"], encode);

  it("takes the smallest bandwidth where none is given", async () => {
    const { audio_codes } = await model.encode(audio);
    expect(audio_codes.shape[2]).equal(model.config.codebooks_at(0.5));
  });

  const refusals: readonly [name: string, call: () => Promise<unknown>, says: RegExp][] = [
    [
      "two channels",
      () => model.encode(new NdArray(audio.slice(0, 4), [2, 2])),
      /input_values: .*\[batch, 1, samples\]/,
    ],
    ["four axes", () => model.encode(new NdArray(audio, [1, 1, 1, audio.length])), /input_values/],
    ["codes of one axis", () => model.decode(new NdArray(Int32Array.of(1), [1])), /audio_codes: wrong shape/],
    ["codes of two chunks", () => model.decode(new NdArray(Int32Array.of(1, 1), [2, 1, 1, 1])), /audio_codes/],
    ["the half that is not there", () => model.decode(new NdArray(Int32Array.of(1), [1, 1])), /decoder\.layers\.0/],
  ];
  for (const [name, call, says] of refusals)
    it(`refuses ${name}`, async () => {
      const error = await call().catch((error: unknown) => error);
      expect(error).instanceOf(EngineError);
      expect((error as EngineError).toLine()).match(says);
    });
});
