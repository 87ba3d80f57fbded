/** The AudioWorklet of the player: a queue of blocks. It is bundled into a file of its own, `player_worklet.js`. */
import type { PlayerReport, PlayerRequest } from "./messages.ts";

// TypeScript has no library for the scope of an AudioWorklet.
declare const sampleRate: number;
declare const currentTime: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

class PlayerProcessor extends AudioWorkletProcessor {
  #queue: Float32Array[] = [];
  /** In the first block of the queue; with a fraction where the context has another rate than the sound. */
  #at = 0;
  #step = 1;
  #epoch = 0;
  #played = 0;
  #runs = false;
  #isDry = true;
  #framesSinceReport = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlayerRequest>) => this.#receive(data);
  }

  process(_inputs: unknown, outputs: readonly (readonly Float32Array[])[]): boolean {
    const [first, ...others] = outputs[0];
    if (this.#runs) {
      let frame = 0;
      while (frame < first.length && this.#queue.length > 0) first[frame++] = this.#next();
      const isDry = this.#queue.length === 0;
      this.#framesSinceReport += first.length;
      if ((isDry && !this.#isDry) || this.#framesSinceReport >= sampleRate / 10) this.#report(isDry);
      this.#isDry = isDry;
    }
    for (const channel of others) channel.set(first);
    return true;
  }

  #receive(request: PlayerRequest): void {
    if (request.kind === "run") this.#runs = request.runs;
    else if (request.kind === "clear") {
      [this.#epoch, this.#step, this.#queue] = [request.epoch, request.step, []];
      [this.#at, this.#played, this.#isDry] = [0, 0, true];
    } else if (request.epoch === this.#epoch) {
      this.#queue.push(request.samples);
      this.#isDry = false;
    }
  }

  /** The next sample; between two of them by a line, where a browser refused the rate of the sound. */
  #next(): number {
    const [block, following] = this.#queue;
    const index = Math.floor(this.#at);
    const sample = block[index];
    const next = block[index + 1] ?? following?.[0] ?? sample;
    const value = sample + (this.#at - index) * (next - sample);
    this.#at += this.#step;
    this.#played += this.#step;
    while (this.#queue.length > 0 && this.#at >= this.#queue[0].length) this.#at -= this.#queue.shift()!.length;
    return value;
  }

  #report(isDry: boolean): void {
    this.#framesSinceReport = 0;
    const report: PlayerReport = { epoch: this.#epoch, played: this.#played, time: currentTime, isDry };
    this.port.postMessage(report);
  }
}

registerProcessor("bark-player", PlayerProcessor);
