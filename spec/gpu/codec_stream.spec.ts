import { expect } from "chai";
import { EncodecModel } from "../../bark/encodec_model.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { expectClose } from "../support/close.ts";
import { weightFiles, type FixtureTensor } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openRepositoryStore, readFixtureJson } from "../support/runtime.ts";

type Stream = ReturnType<EncodecModel["decode_stream"]>;

const cases =
  await readFixtureJson<{ name: string; config: JsonObject; tensors: FixtureTensor[] }[]>("codec/cases.json");
const lookingAhead = ["not_causal", "trim"];

/** Codes that no two frames share: [batch, codebooks, frames]. */
function codesOf(model: EncodecModel, codebooks: number, frames: number, seed = 1, batch = 1): NdArray<Int32Array> {
  const { codebook_size } = model.config;
  const code = (_: unknown, i: number): number => (((i + 1) * (2654435761 + 2 * seed)) % 2 ** 32) % codebook_size;
  return new NdArray(Int32Array.from({ length: batch * codebooks * frames }, code), [batch, codebooks, frames]);
}

/** Frames [begin, end) of codes [batch, codebooks, frames]. */
function slice({ data, shape: [batch, books, frames] }: NdArray<Int32Array>, begin: number, end: number) {
  const rows = Array.from({ length: batch * books }, (_, i) => data.slice(i * frames + begin, i * frames + end));
  return new NdArray(Int32Array.from(rows.flatMap((row) => [...row])), [batch, books, end - begin]);
}

/** What a stream gives for these parts, one after another. */
async function spoken(stream: Stream, codes: NdArray<Int32Array>, sizes: readonly number[]): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  let at = 0;
  for (const size of sizes) {
    const end = Math.min(at + size, codes.shape[2]);
    if (end > at) parts.push((await stream.push(slice(codes, at, end))).data);
    at = end;
  }
  expect(at).equal(codes.shape[2]);
  parts.push((await stream.flush()).data);
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
const tolerance = { absolute: 1e-6 };

describe("the codec as a stream", () => {
  for (const { name, config, tensors } of cases)
    if (lookingAhead.includes(name))
      it(`refuses ${name.replaceAll("_", " ")}, whose samples depend on later frames`, async () => {
        const model = await open(config, tensors);
        expect(() => model.decode_stream()).throws(/codec_config\.(use_causal_conv|trim_right_ratio): .*later frames/);
        model.dispose();
      });
    else
      it(`decodes any partition as the whole: ${name.replaceAll("_", " ")}`, async () => {
        const model = await open(config, tensors);
        const codes = codesOf(model, 2, 33);
        const { audio_values } = await model.decode(codes);
        // These are louder than full scale.
        const loudest = audio_values.data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1);
        const tolerance = { absolute: 1e-6 * loudest };
        using stream = model.decode_stream();
        if (model.config.audio_channels === 1)
          for (const sizes of [ones(33), [2, 3, 5, 7, 11, 13], [33], [31, 2]])
            expectClose(await spoken(stream, codes, sizes), audio_values.data, tolerance, `parts of ${sizes.join()}`);
        else {
          const samples = (await stream.push(codes)).data;
          expectClose(samples, audio_values.data, tolerance, "two channels");
        }
        model.dispose();
      });

  async function open(config: JsonObject, tensors: readonly FixtureTensor[]): Promise<EncodecModel> {
    const files = weightFiles(tensors.map((tensor) => ({ ...tensor })));
    files.set("config.json", new TextEncoder().encode(JSON.stringify({ model_type: "encodec", ...config })));
    return await EncodecModel.from_pretrained(new MemoryStore(files, "codec"), { gpu: await sharedGpu() });
  }

  describe("of nano", () => {
    let model: EncodecModel;
    let codes: NdArray<Int32Array>;
    let whole: Float32Array;
    let bytes = 0;
    before(async () => {
      const gpu = await sharedGpu();
      model = await EncodecModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
      codes = codesOf(model, 8, 75);
      whole = (await model.decode(codes)).audio_values.data;
      bytes = gpu.ledger.bytes;
    });
    after(async () => {
      expect((await sharedGpu()).ledger.bytes).equal(bytes);
      model.dispose();
    });

    const partitions: Readonly<Record<string, readonly number[]>> = {
      "7 frames, then one by one": [7, ...ones(68)],
      "10 at a time": [10, 10, 10, 10, 10, 10, 10, 5],
      "3, then 72: more than the LSTM computes the gates of at once": [3, 72],
    };
    for (const [name, sizes] of Object.entries(partitions))
      it(`gives the samples of the whole for ${name}`, async () => {
        expectClose(await spoken(model.decode_stream(), codes, sizes), whole, tolerance, name);
      });

    it("gives samples from the 7th frame on, then 320 for each", async () => {
      const stream = model.decode_stream();
      const counts: number[] = [];
      for (let i = 0; i < 9; i++) counts.push((await stream.push(slice(codes, i, i + 1))).shape[2]);
      expect(counts).deep.equal([0, 0, 0, 0, 0, 0, 7 * 320, 320, 320]);
    });

    for (const frames of [1, 3, 6])
      it(`gives a sound of ${frames} frames when it ends`, async () => {
        const short = slice(codes, 0, frames);
        const { audio_values } = await model.decode(short);
        const given = await spoken(model.decode_stream(), short, ones(frames));
        expectClose(given, audio_values.data, tolerance, `${frames} frames`);
      });

    it("keeps two streams apart", async () => {
      const others = codesOf(model, 8, 75, 9);
      const expected = (await model.decode(others)).audio_values.data;
      const streams = [model.decode_stream(), model.decode_stream()];
      const parts: Float32Array[][] = [[], []];
      // Without waiting: the calls of a stream keep their order.
      const pushes = [0, 15, 30, 45, 60].flatMap((at) =>
        [codes, others].map(async (own, i) => {
          const { data } = await streams[i].push(slice(own, at, at + 15));
          parts[i].push(data);
        }),
      );
      await Promise.all(pushes);
      for (const [i, samples] of [whole, expected].entries())
        expectClose(Float32Array.from(parts[i].flatMap((part) => [...part])), samples, tolerance, `stream ${i}`);
    });

    it("begins anew after reset and after flush", async () => {
      const stream = model.decode_stream();
      await stream.push(slice(codes, 20, 40));
      await stream.reset();
      expectClose(await spoken(stream, codes, [40, 35]), whole, tolerance, "after reset");
      expectClose(await spoken(stream, codes, [40, 35]), whole, tolerance, "after flush");
      expect((await stream.flush()).shape).deep.equal([0, 1, 0]);
    });

    it("decodes each row of a batch as alone", async () => {
      const rows = codesOf(model, 8, 20, 3, 2);
      const { audio_values } = await model.decode(rows);
      const stream = model.decode_stream();
      const parts = [await stream.push(slice(rows, 0, 12)), await stream.push(slice(rows, 12, 20))];
      expect(parts.map(({ shape }) => shape)).deep.equal([
        [2, 1, 12 * 320],
        [2, 1, 8 * 320],
      ]);
      for (const row of [0, 1]) {
        const joined = parts.flatMap((part) => [...part.row(row).data]);
        expectClose(Float32Array.from(joined), audio_values.row(row).data, tolerance, `row ${row}`);
      }
    });

    it("goes on where it was after a call that failed", async () => {
      const stream = model.decode_stream();
      const first = await stream.push(slice(codes, 0, 40));
      const next = slice(codes, 40, 75);
      const aborted = await engineErrorOf(() => stream.push(next, { signal: AbortSignal.abort() }));
      expect(aborted).property("code", "aborted");
      const outside = new NdArray(
        next.data.map((code, i) => (i === 5 ? 1024 : code)),
        next.shape,
      );
      expect((await engineErrorOf(() => stream.push(outside))).message).match(/code is outside its codebook/);
      const second = await stream.push(next);
      expectClose(Float32Array.from([...first.data, ...second.data]), whole, tolerance, "after an abort");
    });

    it("refuses codes of another batch or other codebooks, and calls after its end", async () => {
      const stream = model.decode_stream();
      await stream.push(slice(codes, 0, 1));
      const says = async (call: Promise<unknown>): Promise<string> => (await engineErrorOf(() => call)).message;
      expect(await says(stream.push(codesOf(model, 4, 2)))).match(/audio_codes: .*\[1, 8, frames\].*\[1, 4, 2\]/);
      expect(await says(stream.push(codesOf(model, 8, 2, 1, 2)))).match(/audio_codes: .*\[2, 8, 2\]/);
      expect(await says(stream.push(codes, { bandwidth: 6 } as object))).match(/bandwidth: is not an argument of push/);
      stream.dispose();
      expect(await says(stream.push(codes))).match(/decode_stream: the stream was disposed/);
    });
  });
});
