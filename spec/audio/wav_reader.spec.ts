import { expect } from "chai";
import { encode_wav } from "../../audio/wav.ts";
import { decode_wav } from "../../audio/wav_reader.ts";
import { EngineError } from "../../engine/errors.ts";

type Chunk = readonly [id: string, bytes: Uint8Array, size?: number];

/** A RIFF file of these chunks, padded to even bytes. */
function riff(chunks: readonly Chunk[], form = "WAVE", kind = "RIFF"): Uint8Array {
  const parts = chunks.map(([id, bytes, size = bytes.length]) => {
    const chunk = new Uint8Array(8 + bytes.length + (bytes.length % 2));
    chunk.set(Uint8Array.from(id, (char) => char.charCodeAt(0)));
    new DataView(chunk.buffer).setUint32(4, size, true);
    chunk.set(bytes, 8);
    return chunk;
  });
  const body = parts.flatMap((part) => [...part]);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return Uint8Array.of(...encode(kind), 0, 0, 0, 0, ...encode(form), ...body);
}

interface FormatFields {
  tag: number;
  bits: number;
  channels?: number;
  rate?: number;
  bytesPerFrame?: number;
}

function fmt({ tag, bits, channels = 1, rate = 24000, bytesPerFrame = (channels * bits) / 8 }: FormatFields): Chunk {
  const view = new DataView(new ArrayBuffer(16));
  const fields = [tag, channels, rate & 0xffff, rate >>> 16, 0, 0, bytesPerFrame, bits];
  for (const [i, value] of fields.entries()) view.setUint16(2 * i, value, true);
  return ["fmt ", new Uint8Array(view.buffer)];
}

function extensible(format: FormatFields): Chunk {
  const [id, bytes] = fmt(format);
  const longer = new Uint8Array(40);
  longer.set(bytes);
  longer.set([0xfe, 0xff, ...bytes.subarray(2, 16), 22, 0, format.bits, 0, 0, 0, 0, 0, format.tag, 0]);
  return [id, longer];
}

const data = (bytes: readonly number[], size?: number): Chunk => ["data", Uint8Array.from(bytes), size];
const bytesOf = (values: Float32Array | Float64Array): number[] => [...new Uint8Array(values.buffer)];

describe("WAV reading", () => {
  const formats: readonly [FormatFields, readonly number[], readonly number[]][] = [
    [{ tag: 1, bits: 8 }, [0, 128, 255], [-1, 0, 127 / 128]],
    [{ tag: 1, bits: 16 }, [0x00, 0x80, 0xff, 0x7f, 0xff, 0xff], [-1, 32767 / 32768, -1 / 32768]],
    [{ tag: 1, bits: 24 }, [0, 0, 0x80, 0xff, 0xff, 0x7f, 0x02, 0x01, 0], [-1, 1 - 2 ** -23, 0x102 / 2 ** 23]],
    [{ tag: 1, bits: 32 }, [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5]],
    [{ tag: 3, bits: 32 }, bytesOf(Float32Array.of(0.1, -2)), [Math.fround(0.1), -2]],
    [{ tag: 3, bits: 64 }, bytesOf(Float64Array.of(0.1, -2)), [Math.fround(0.1), -2]],
  ];
  for (const [format, bytes, expected] of formats)
    for (const [kind, header] of [
      ["", fmt],
      ["extensible ", extensible],
    ] as const)
      it(`${kind}format ${format.tag} of ${format.bits} bits`, () => {
        const { sample_rate, audio } = decode_wav(riff([header(format), data(bytes)]));
        expect(sample_rate).equal(24000);
        expect(audio.shape).deep.equal([1, expected.length]);
        expect([...audio.data]).deep.equal(expected);
      });

  it("channels come apart", () => {
    const { audio, sample_rate } = decode_wav(
      riff([fmt({ tag: 1, bits: 8, channels: 2, rate: 96000 }), data([0, 128, 64, 192, 128, 0])]),
    );
    expect(sample_rate).equal(96000);
    expect(audio.tolist()).deep.equal([
      [-1, -0.5, 0],
      [0, 0.5, -1],
    ]);
  });

  it("other chunks, of odd length too, before and after", () => {
    const odd: Chunk = ["LIST", Uint8Array.of(1, 2, 3)];
    const bytes = riff([odd, fmt({ tag: 1, bits: 8 }), odd, data([0, 128, 255]), odd]);
    expect(decode_wav(bytes).audio.shape).deep.equal([1, 3]);
  });

  /** The samples as 16-bit integers, and what is noticed. */
  const read = (bytes: Uint8Array): { values: number[]; notices: string[] } => {
    const notices: string[] = [];
    const { audio } = decode_wav(bytes, "a.wav", (line) => notices.push(line));
    return { values: Array.from(audio.data, (value) => value * 2 ** 15), notices };
  };
  const mono16 = fmt({ tag: 1, bits: 16 });
  const list: Chunk = ["LIST", Uint8Array.of(1, 2, 3)];

  for (const size of [0, 0x7ffff000, 0x7fffffff, 0x80000000, 0xffffffff])
    it(`a data chunk of ${size.toString(16)} bytes lasts to the end, as pipes write it`, () => {
      for (const [before, kind] of [
        [[mono16], "RIFF"],
        [[list, mono16, list], "RF64"],
      ] as const) {
        const { values, notices } = read(riff([...before, data([1, 0, 2, 0, 3, 0], size)], "WAVE", kind));
        expect(values).deep.equal([1, 2, 3]);
        expect(notices).deep.equal([
          `a.wav: the header names ${size} bytes of samples; the 6 bytes of whole samples in the file are read`,
        ]);
      }
    });

  it("what is there of a file that was cut, whole samples alone", () => {
    const whole = riff([fmt({ tag: 1, bits: 16, channels: 2 }), data([1, 0, 2, 0, 3, 0, 4, 0])]);
    expect(read(whole)).deep.equal({ values: [1, 3, 2, 4], notices: [] });
    for (const cut of [1, 2, 3, 4]) {
      const { values, notices } = read(whole.subarray(0, whole.length - cut));
      expect(values).deep.equal([1, 2]);
      expect(notices).deep.equal([
        "a.wav: the header names 8 bytes of samples; the 4 bytes of whole samples in the file are read",
      ]);
    }
    expect(read(riff([mono16, data([1, 0, 2])])).values).deep.equal([1]);
  });

  it("nothing but the samples where other chunks or garbage follow", () => {
    const bytes = riff([mono16, data([1, 0, 2, 0]), list, ["\xff\x00\x01\x02", Uint8Array.of(9), 1e9]]);
    expect(read(bytes)).deep.equal({ values: [1, 2], notices: [] });
  });

  it("the size of an RF64 file's samples", () => {
    const ds64 = new DataView(new ArrayBuffer(28));
    ds64.setUint32(8, 4, true);
    for (const kind of ["RF64", "BW64"]) {
      const chunks: Chunk[] = [["ds64", new Uint8Array(ds64.buffer)], mono16, data([1, 0, 2, 0], 0xffffffff), list];
      expect(read(riff(chunks, "WAVE", kind))).deep.equal({ values: [1, 2], notices: [] });
    }
  });

  it("sizes of 32 bits as they are, whatever a ds64 chunk says, and short ds64 chunks not at all", () => {
    const ds64 = new DataView(new ArrayBuffer(16));
    ds64.setUint32(8, 2, true);
    const wide: Chunk = ["ds64", new Uint8Array(ds64.buffer)];
    const other: Chunk = ["LIST", new Uint8Array(20).fill(1)];
    const of = (chunks: readonly Chunk[], size?: number) => read(riff([...chunks, mono16, data([1, 0, 2, 0], size)]));
    expect(of([wide])).deep.equal({ values: [1, 2], notices: [] });
    expect(of([wide, other], 0xffffffff)).deep.equal({ values: [1], notices: [] });
    const told =
      "a.wav: the header names 4294967295 bytes of samples; the 4 bytes of whole samples in the file are read";
    for (const chunks of [[["ds64", new Uint8Array(15)] as Chunk], [other]])
      expect(of(chunks, 0xffffffff)).deep.equal({ values: [1, 2], notices: [told] });
  });

  it("samples that begin as a chunk does", () => {
    const text = [...new TextEncoder().encode("abcd")];
    const samples = riff([mono16, data([1, 0, 2, 0, ...text, 0xff, 0xff], 0)]);
    expect(read(samples).values.slice(0, 2)).deep.equal([1, 2]);
    expect(decode_wav(riff([fmt({ tag: 1, bits: 8, rate: 1 }), data([0])])).sample_rate).equal(1);
    expect(() => decode_wav("x" as never))
      .throw(EngineError)
      .with.property("where", "bytes");
  });

  it("chunks of odd length that nothing fills up", () => {
    const bytes = riff([list, mono16, data([1, 0])]);
    const at = bytes.indexOf(3, 20);
    expect(read(Uint8Array.of(...bytes.subarray(0, at + 1), ...bytes.subarray(at + 2))).values).deep.equal([1]);
  });

  it("goes to the console where nobody listens", () => {
    const { warn } = console;
    const lines: unknown[] = [];
    console.warn = (line) => lines.push(line);
    try {
      decode_wav(riff([mono16, data([1, 0, 2])]));
    } finally {
      console.warn = warn;
    }
    expect(lines).deep.equal([
      "WAV file: the header names 3 bytes of samples; the 2 bytes of whole samples in the file are read",
    ]);
  });

  it("reads what we write", () => {
    const samples = Float32Array.of(0.25, -0.5, 1.5);
    const { audio } = decode_wav(encode_wav(24000, samples, { format: "float32" }));
    expect([...audio.data]).deep.equal([...samples]);
    expect([...decode_wav(encode_wav(24000, [0, -1])).audio.data]).deep.equal([0, -32767 / 32768]);
  });

  const good = riff([fmt({ tag: 1, bits: 16 }), data([1, 2, 3, 4])]);
  const bad: readonly [name: string, bytes: Uint8Array, says: RegExp][] = [
    ["nothing", new Uint8Array(0), /is not a WAV file .*RIFF.*got "?0 bytes/],
    ["another format", new TextEncoder().encode("ID3 of an MP3 file"), /is not a WAV file/],
    ["another kind of RIFF", riff([], "AVI "), /is not a WAV file/],
    ["no chunks", riff([]), /has no fmt chunk/],
    ["samples before their format", riff([data([1, 2]), fmt({ tag: 1, bits: 16 })]), /has no data chunk/],
    ["no samples chunk", riff([fmt({ tag: 1, bits: 16 })]), /has no data chunk/],
    [
      "a short fmt chunk",
      riff([["fmt ", new Uint8Array(8)], data([1, 2])]),
      /short a fmt chunk \(expected 16 bytes, got 8\)/,
    ],
    ["a fmt chunk of nothing", riff([["fmt ", new Uint8Array(0)], data([1, 2])]), /short a fmt chunk/],
    ["a short extensible fmt chunk", riff([["fmt ", Uint8Array.of(0xfe, 0xff, ...new Uint8Array(14))]]), /too short/],
    ["a format that ends early", good.subarray(0, 30), /ends early \(expected 16 bytes after byte 20, got 10\)/],
    ["half a sample", riff([fmt({ tag: 1, bits: 16 }), data([1])]), /holds no samples/],
    ["none of its samples", good.subarray(0, good.length - 4), /holds no samples/],
    ["no samples, and other chunks after them", riff([mono16, data([]), list, list]), /holds no samples/],
    ["no samples, and a chunk that nothing fills up", riff([mono16, data([]), list]).slice(0, -1), /no samples/],
    ["big-endian samples", riff([mono16, data([0, 1])], "WAVE", "RIFX"), /is not a WAV file .*got "RIFX"/],
    ["no samples", riff([fmt({ tag: 1, bits: 16 }), data([])]), /holds no samples/],
    ["ADPCM", riff([fmt({ tag: 2, bits: 4 }), data([1])]), /coded in a way.*got format 2 of 4 bits/],
    ["12 bits", riff([fmt({ tag: 1, bits: 12 }), data([1])]), /coded in a way/],
    ["no channels", riff([fmt({ tag: 1, bits: 16, channels: 0 }), data([1, 2])]), /has no channels/],
    ["a rate of 0", riff([fmt({ tag: 1, bits: 16, rate: 0 }), data([1, 2])]), /sample rate of 0/],
    [
      "frames of another size",
      riff([fmt({ tag: 1, bits: 16, bytesPerFrame: 3 }), data([1, 2])]),
      /itself \(expected 2 bytes a frame, got 3\)/,
    ],
    [
      "NaN",
      riff([fmt({ tag: 3, bits: 32 }), data(bytesOf(Float32Array.of(0, NaN)))]),
      /not finite \(got NaN at sample 1/,
    ],
    ["more than f32 holds", riff([fmt({ tag: 3, bits: 64 }), data(bytesOf(Float64Array.of(1e300)))]), /not finite/],
  ];
  for (const [name, bytes, says] of bad)
    it(`refuses ${name}`, () => {
      expect(() => decode_wav(bytes, "a.wav"))
        .throw(EngineError)
        .satisfies((error: EngineError) => error.code === "bad-input" && says.test(error.toLine()));
    });
});
