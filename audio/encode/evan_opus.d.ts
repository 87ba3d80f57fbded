/** The WebAssembly half of @evan/opus; what the package's own entry loads is native code where there is any. */
declare module "@evan/opus/wasm/index.mjs" {
  export class Encoder {
    constructor(options: { channels: number; sample_rate: number; application: "audio" });
    /** @param value left out: reads. */
    ctl(request: number, value?: number): number;
    /** @param pcm 16-bit samples of one frame. */
    encode(pcm: Uint8Array): Uint8Array;
    drop(): void;
  }
}
