/**
 * Draws the spectrogram of a WAV file as a PNG: `npx tsx tools/spectrogram.ts IN.wav OUT.png`. A column is 80 samples, a
 * row one frequency of the Fourier transform, from 0 (bottom) to 8 kHz (top); the scale runs over 65 dB.
 */
import { readFile, writeFile } from "node:fs/promises";
import { crc32, deflateSync } from "node:zlib";
import { decode_wav } from "../audio/wav_reader.ts";

const windowLength = 768;
const hop = 80;
const highestHz = 8000;
const rangeDb = 65;

const [input, output] = process.argv.slice(2);
const { sample_rate, audio } = decode_wav(await readFile(input), input);
if (audio.shape[0] !== 1) throw new Error(`${input}: expected one channel, got ${audio.shape[0]}`);
await writeFile(output, png(decibels(audio.data, Math.floor((highestHz / sample_rate) * windowLength))));

/** Power of each frequency and column against the loudest, 0 to -{@link rangeDb} dB as 255 to 0. [rows][columns], top first */
function decibels(samples: Float32Array, rows: number): Uint8Array[] {
  const columns = Math.max(1, Math.floor((samples.length - windowLength) / hop) + 1);
  const power = Array.from({ length: rows }, (_, row) => {
    const waves = Array.from({ length: windowLength }, (_, i) => {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / windowLength);
      const angle = (2 * Math.PI * (rows - 1 - row) * i) / windowLength;
      return [hann * Math.cos(angle), hann * Math.sin(angle)] as const;
    });
    return Array.from({ length: columns }, (_, column) => {
      let [re, im] = [0, 0];
      waves.forEach(([cos, sin], i) => {
        const sample = samples[column * hop + i] ?? 0;
        re += sample * cos;
        im += sample * sin;
      });
      return re * re + im * im;
    });
  });
  const loudest = power.flat().reduce((most, value) => Math.max(most, value), 1e-12);
  return power.map((row) =>
    Uint8Array.from(row, (value) => {
      const db = 10 * Math.log10(Math.max(value / loudest, 1e-12));
      return Math.round(255 * Math.max(0, 1 + db / rangeDb));
    }),
  );
}

/** A picture of 256 colours, from white (silence) over blue to black. */
function png(rows: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(rows[0].length, 0);
  header.writeUInt32BE(rows.length, 4);
  header.set([8, 3], 8); // 8 bits a pixel, an index into the palette
  const palette = Buffer.from(
    Array.from({ length: 256 }, (_, level) => [
      Math.max(0, 255 - 2 * level),
      Math.max(0, 255 - 1.4 * level),
      Math.max(0, 255 - 0.8 * Math.max(0, level - 40) * 1.2),
    ]).flat(),
  );
  const pixels = Buffer.concat(rows.map((row) => Buffer.concat([Buffer.of(0), row])));
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const image = chunk("IDAT", deflateSync(pixels, { level: 9 }));
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    image,
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
