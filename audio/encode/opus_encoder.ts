import { CustomAudioEncoder, EncodedPacket, registerEncoder, type AudioSample } from "mediabunny";
import { Encoder } from "@evan/opus/wasm/index.mjs";
import { join } from "./stream.ts";

/** Requests of opus_defines.h. */
const [setBitrate, getLookahead] = [4002, 4027];
/** The clock of Ogg Opus, whatever the rate of the samples. */
const opusRate = 48_000;
/** Milliseconds of a packet. */
const frame = 20;

/** libopus in WebAssembly, for runtimes without WebCodecs. */
class OpusEncoder extends CustomAudioEncoder {
  #encoder!: Encoder;
  /** 16-bit samples that do not fill a packet yet. */
  #held: Uint8Array = new Uint8Array(0);
  #samples = 0;
  #packets = 0;
  #preSkip = 0;

  static override supports(codec: string): boolean {
    return codec === "opus";
  }

  init(): void {
    const { sampleRate, numberOfChannels, bitrate } = this.config;
    this.#encoder = new Encoder({ channels: numberOfChannels, sample_rate: sampleRate, application: "audio" });
    if (bitrate !== undefined) this.#encoder.ctl(setBitrate, bitrate);
    this.#preSkip = Math.round((this.#encoder.ctl(getLookahead) * opusRate) / sampleRate);
  }

  encode(sample: AudioSample): void {
    const bytes = new Uint8Array(sample.allocationSize({ planeIndex: 0, format: "s16" }));
    sample.copyTo(bytes, { planeIndex: 0, format: "s16" });
    this.#samples += sample.numberOfFrames;
    this.#held = join([this.#held, bytes]);
    const size = this.#packetBytes;
    let at = 0;
    for (; at + size <= this.#held.length; at += size) this.#give(this.#held.subarray(at, at + size), frame / 1000);
    this.#held = this.#held.slice(at);
  }

  /** The encoder is late by the pre-skip: silence pushes the last samples out, and the last packet says where they end. */
  flush(): void {
    const end = this.#preSkip / opusRate + this.#samples / this.config.sampleRate;
    for (let begin = this.#time; begin < end - 1e-9; begin = this.#time) {
      const bytes = new Uint8Array(this.#packetBytes);
      bytes.set(this.#held);
      this.#held = new Uint8Array(0);
      this.#give(bytes, Math.min(frame / 1000, end - begin));
    }
  }

  close(): void {
    this.#encoder.drop();
  }

  /** Seconds given out. */
  get #time(): number {
    return (this.#packets * frame) / 1000;
  }

  get #packetBytes(): number {
    return 2 * this.config.numberOfChannels * ((this.config.sampleRate * frame) / 1000);
  }

  #give(pcm: Uint8Array, duration: number): void {
    const packet = new EncodedPacket(this.#encoder.encode(pcm), "key", this.#time, duration);
    this.onPacket(packet, this.#packets === 0 ? this.#metadata() : undefined);
    this.#packets++;
  }

  /** With the identification header of RFC 7845, section 5.1. */
  #metadata(): EncodedAudioChunkMetadata {
    const { sampleRate, numberOfChannels } = this.config;
    const description = new Uint8Array(19);
    description.set(new TextEncoder().encode("OpusHead"));
    const view = new DataView(description.buffer);
    view.setUint8(8, 1);
    view.setUint8(9, numberOfChannels);
    view.setUint16(10, this.#preSkip, true);
    view.setUint32(12, sampleRate, true);
    return { decoderConfig: { codec: "opus", numberOfChannels, sampleRate: opusRate, description } };
  }
}

/** Gives mediabunny this encoder. */
export function registerOpusEncoder(): void {
  registerEncoder(OpusEncoder);
}
