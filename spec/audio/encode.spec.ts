import { expect } from "chai";
import { ALL_FORMATS, AudioSampleSink, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { encode_audio, open_encoder, type AudioEncoderOptions } from "../../audio/encode/encoder.ts";
import { audioFormatNames, audioFormatOf, type AudioFormat } from "../../audio/encode/formats.ts";
import { encode_wav } from "../../audio/wav.ts";
import { decode_wav } from "../../audio/wav_reader.ts";
import { engineErrorOf } from "../support/rejection.ts";

const sampling_rate = 24000;
/** Half a second that ends within a packet of every codec. */
const samples = Float32Array.from(
  { length: 12_345 },
  (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / sampling_rate),
);
const text = "Hällo 日本, my dog is cute.";
const tags = {
  text,
  voice: "en_speaker_1",
  seed: 7n,
  checkpoint: "nano",
  settings: { temperature: 0.7 },
  software: "bark-webgpu 0.1.0",
};
const comment = '{"voice":"en_speaker_1","seed":"7","checkpoint":"nano","settings":{"temperature":0.7}}';
const compressed = ["mp3", "opus", "flac", "aac", "m4a"] as const;

async function live(
  format: AudioFormat,
  options: Partial<AudioEncoderOptions> = {},
): Promise<Uint8Array<ArrayBuffer>[]> {
  const encoder = await open_encoder(format, { sampling_rate, ...options });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < samples.length; at += 1000) parts.push(await encoder.push(samples.subarray(at, at + 1000)));
  return [...parts, await encoder.finish()];
}

const joined = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
const open = (bytes: Uint8Array<ArrayBuffer>): Input =>
  new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });

/** Seconds, codec, rate and channels, as a reader of the format finds them. */
async function described(bytes: Uint8Array<ArrayBuffer>): Promise<unknown[]> {
  const track = (await open(bytes).getPrimaryAudioTrack())!;
  return [track.codec, track.sampleRate, track.numberOfChannels];
}

async function seconds(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const track = (await open(bytes).getPrimaryAudioTrack())!;
  let end = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) end = packet.timestamp + packet.duration;
  return end;
}

describe("sound files", () => {
  const codecs = { mp3: "mp3", opus: "opus", flac: "flac", aac: "aac", m4a: "aac" };
  /** Seconds that a decoder adds: mp3 and AAC have whole frames and the encoder's delay. */
  const longer = { mp3: 0.11, opus: 0.0066, flac: 0, aac: 0.13, m4a: 0.13 };
  for (const format of compressed)
    for (const isLive of [false, true])
      it(`${format}${isLive ? ", live," : ""} holds the sound`, async () => {
        const bytes = isLive ? joined(await live(format)) : await encode_audio(samples, format, { sampling_rate });
        expect(await described(bytes)).deep.equal([codecs[format], format === "opus" ? 48_000 : sampling_rate, 1]);
        const extra = (await seconds(bytes)) - samples.length / sampling_rate;
        expect(extra).within(-1e-4, longer[format]);
      });

  for (const format of ["mp3", "opus", "flac", "aac", "m4a"] as const)
    it(`${format} says how the sound was made`, async () => {
      const bytes = await encode_audio(samples, format, { sampling_rate, tags });
      const found = await open(bytes).getMetadataTags();
      expect([found.title, found.artist, found.lyrics, found.comment]).deep.equal([
        text,
        "en_speaker_1",
        text,
        comment,
      ]);
      const software = { mp3: "TSSE", opus: "ENCODER", flac: "ENCODER", aac: "TSSE", m4a: "©too" }[format];
      expect(found.raw?.[software]).equal("bark-webgpu 0.1.0");
    });

  it("wav says how the sound was made, and holds it exactly", async () => {
    const bytes = await encode_audio(samples, "wav", { sampling_rate, tags });
    const { audio, sample_rate } = decode_wav(bytes);
    expect(sample_rate).equal(sampling_rate);
    expect(Math.max(...audio.data.map((sample, i) => Math.abs(sample - samples[i])))).below(1 / 32767);
    const list = new TextDecoder().decode(bytes.subarray(36, 36 + 400));
    for (const part of [`INAM`, text, "en_speaker_1", comment, "ISFT", "bark-webgpu 0.1.0"]) expect(list).include(part);
  });

  it("wav takes samples as they are in float32, and no other format does", async () => {
    const loud = Float32Array.of(0.5, -1.5, 2);
    const options = { sampling_rate, format: "float32" } as const;
    expect(await encode_audio(loud, "wav", options)).deep.equal(encode_wav(sampling_rate, loud, { format: "float32" }));
    const known = await open_encoder("wav", { ...options, samples: 3 });
    const bytes = joined([
      await known.push(loud.subarray(0, 1)),
      await known.push(loud.subarray(1)),
      await known.finish(),
    ]);
    expect(bytes).deep.equal(encode_wav(sampling_rate, loud, { format: "float32" }));
    const refused = await engineErrorOf(() => open_encoder("flac", options));
    expect([refused.code, refused.where]).deep.equal(["usage", "format"]);
  });

  it("live wav is read without its length, and gives its samples at once", async () => {
    const parts = await live("wav");
    expect(parts.map(({ length }) => length)).deep.equal([2044, ...Array<number>(11).fill(2000), 690, 0]);
    const notices: string[] = [];
    const { audio } = decode_wav(joined(parts), "pipe", (line) => notices.push(line));
    expect(audio.shape).deep.equal([1, samples.length]);
    expect(notices).have.length(1);
  });

  it("pcm is the samples of the wav", async () => {
    const wav = await encode_audio(samples, "wav", { sampling_rate });
    expect(await encode_audio(samples, "pcm", { sampling_rate })).deep.equal(wav.subarray(44));
    expect(joined(await live("pcm"))).deep.equal(wav.subarray(44));
  });

  it("flac loses nothing of 16 bits", async function () {
    const bytes = await encode_audio(samples, "flac", { sampling_rate });
    const wav = decode_wav(await encode_audio(samples, "wav", { sampling_rate })).audio.data;
    const track = (await open(bytes).getPrimaryAudioTrack())!;
    if (!(await track.canDecode())) this.skip(); // Only pages have a decoder.
    const decoded: number[] = [];
    for await (const sample of new AudioSampleSink(track).samples()) {
      const rows = new Float32Array(sample.numberOfFrames);
      sample.copyTo(rows, { planeIndex: 0, format: "f32-planar" });
      decoded.push(...rows);
      sample.close();
    }
    expect(decoded).deep.equal([...wav]);
  });

  for (const format of compressed)
    it(`${format} of the same sound is the same bytes`, async () => {
      const make = () => encode_audio(samples, format, { sampling_rate, tags });
      const first = await make();
      // The clock that m4a would write counts seconds.
      await new Promise((resolve) => setTimeout(resolve, format === "m4a" ? 1100 : 0));
      expect(await make()).deep.equal(first);
    });

  for (const format of ["mp3", "opus"] as const)
    it(`live ${format} gives bytes long before the end`, async () => {
      const parts = await live(format);
      const early = parts.slice(0, 8).reduce((sum, { length }) => sum + length, 0);
      expect(early).above(0.3 * joined(parts).length);
    });

  for (const format of compressed)
    it(`${format} takes two channels`, async () => {
      const both = Float32Array.from([...samples, ...samples.map((sample) => -sample)]);
      const bytes = await encode_audio(both, format, { sampling_rate, channels: 2 });
      expect((await described(bytes))[2]).equal(2);
    });

  it("a lossy format takes a bit rate", async () => {
    for (const format of ["mp3", "opus", "aac"] as const) {
      const size = async (bitrate: number) => (await encode_audio(samples, format, { sampling_rate, bitrate })).length;
      expect((await size(96)) / (await size(32)), format).above(1.5);
    }
  });

  it("are known by the endings of their names", () => {
    const names = ["a.WAV", "b/c.pcm", "d.mp3", "e.opus", "f.ogg", "g.flac", "h.aac", "i.m4a"];
    const formats = ["wav", "pcm", "mp3", "opus", "opus", "flac", "aac", "m4a"];
    expect(names.map(audioFormatOf)).deep.equal(formats);
  });

  const encode = (options: object, format: AudioFormat = "mp3") =>
    encode_audio(samples, format, { sampling_rate, ...options });
  const refusals: readonly [name: string, call: () => unknown, says: RegExp][] = [
    ["an ending that is not known", () => audioFormatOf("a/b.mp4"), /a\/b\.mp4: .*\.wav, .*got \.mp4/],
    ["no ending", () => audioFormatOf("a.b/c"), /got no ending/],
    ["a format that is not known", () => encode({}, "mp4" as AudioFormat), /format: wrong value .*"m4a"/],
    ["an option that is not known", () => encode({ quality: 1 }), /quality: is not an argument/],
    ["a rate that MP3 does not have", () => encode({ sampling_rate: 23_000 }), /sampling_rate: .*24000.*got 23000/],
    ["a rate that Opus does not have", () => encode({ sampling_rate: 22_050 }, "opus"), /sampling_rate: .*opus/],
    ["a rate that FLAC does not have", () => encode({ sampling_rate: 600 }, "flac"), /sampling_rate: flac cannot/],
    ["a bit rate that MP3 does not have", () => encode({ bitrate: 50 }), /bitrate: .*48, 56.*got 50/],
    ["a bit rate without loss", () => encode({ bitrate: 64 }, "flac"), /bitrate: .*flac loses nothing/],
    ["more channels than MP3 has", () => encode({ channels: 3 }), /channels: .*at most 2 in mp3/],
    ["samples that are not finite", () => encode_audio(Float32Array.of(NaN), "wav", { sampling_rate }), /not finite/],
    ["no sound", () => encode_audio(new Float32Array(0), "opus", { sampling_rate }), /no sound to encode/],
    [
      "samples after the end",
      async () => {
        const encoder = await open_encoder("pcm", { sampling_rate });
        await encoder.push(samples);
        await encoder.finish();
        await encoder.push(samples);
      },
      /the file is finished/,
    ],
  ];
  for (const [name, call, says] of refusals)
    it(`refuse ${name}`, async () => {
      expect((await engineErrorOf(call)).message).match(says);
    });

  it("has all its formats tried here", () => {
    expect([...compressed, "wav", "pcm"].sort()).deep.equal([...audioFormatNames].sort());
  });
});
