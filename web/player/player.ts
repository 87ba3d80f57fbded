import { secondsToHold } from "../../speech/stream/held_back.ts";
import { workletUrl } from "../addresses.ts";
import type { PlayerReport, PlayerRequest } from "./messages.ts";
import { Recording } from "./recording.ts";

export interface PlayerOptions {
  /** Of the model. Default 24000. */
  sampling_rate?: number;
  /** Seconds of sound before it begins, and after it ran dry. Default 0.25. */
  prebuffer?: number;
  /** Most seconds of sound that it waits for where sound is made more slowly than it is played. Default 60. */
  hold?: number;
}

/** How fast the sound is made, and about how many seconds of it are still to come. */
export interface Supply {
  readonly real_time_factor: number;
  readonly left: number;
}

/** Seconds that the AudioWorklet is ahead of what is heard. The rest waits in the recording. */
const ahead = 8;
const blockSeconds = 2;

export type PlayerState = "idle" | "waiting" | "playing" | "ended";

/**
 * Plays sound while it is made. Events: `waiting` (for sound), `playing`, `pause`, `timeupdate` (at most 4 a second),
 * `durationchange`, `ended`. Everything that was given can be heard again by {@link seek}, however long it is.
 */
export class Player extends EventTarget {
  readonly #options: Required<PlayerOptions>;
  #context: AudioContext | undefined;
  #node: Promise<AudioWorkletNode> | undefined;
  #recording: Recording;
  #state: PlayerState = "idle";
  #isPaused = false;
  #isWhole = false;
  #supply: Supply = { real_time_factor: 0, left: 0 };
  /** Changes whenever what is queued becomes worthless. */
  #epoch = 0;
  /** Sample at which the epoch begins, and before which samples were sent. */
  #begin = 0;
  #sent = 0;
  #report: PlayerReport | undefined;
  #isFilling = false;
  #lastUpdate = -Infinity;

  constructor({ sampling_rate = 24000, prebuffer = 0.25, hold = 60 }: PlayerOptions = {}) {
    super();
    this.#options = { sampling_rate, prebuffer, hold };
    this.#recording = new Recording(sampling_rate);
  }

  /** What is heard goes through it: connect a meter, or a recorder. */
  get node(): Promise<AudioWorkletNode> {
    if (this.#node !== undefined) return this.#node;
    this.#node = this.#open();
    // What was given before waits for it.
    this.#node.then(
      () => this.#fill(),
      () => undefined,
    );
    return this.#node;
  }

  get state(): PlayerState {
    return this.#state;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  /** Seconds that there are. */
  get duration(): number {
    return this.#recording.samples / this.#recording.sampling_rate;
  }

  /** Seconds from the beginning to what is heard now. */
  get position(): number {
    const { sampling_rate } = this.#recording;
    const report = this.#report;
    const since = report === undefined || this.#state !== "playing" ? 0 : this.#context!.currentTime - report.time;
    return Math.min(this.#heard + since * sampling_rate, this.#sent) / sampling_rate;
  }

  /** Begins a new sound. @param sampling_rate of it. */
  begin(sampling_rate = this.#options.sampling_rate): void {
    this.#recording = new Recording(sampling_rate);
    this.#isWhole = false;
    this.#supply = { real_time_factor: 0, left: 0 };
    this.#setState("waiting");
    this.#restart(0);
  }

  /** Adds sound. @param audio [samples], full scale ±1. */
  push(audio: Float32Array, supply: Supply = { real_time_factor: 0, left: 0 }): void {
    this.#recording.append(audio);
    this.#supply = supply;
    this.dispatchEvent(new Event("durationchange"));
    this.#fill();
  }

  /** Nothing more comes. */
  end(): void {
    this.#isWhole = true;
    this.#fill();
  }

  /** Silence at once. What there is can still be heard. */
  stop(): void {
    this.#isWhole = true;
    this.#setState("idle");
    this.#restart(this.#recording.samples);
  }

  /** Call it in a click: browsers forbid sound without one. */
  async resume(): Promise<void> {
    this.#isPaused = false;
    this.#context ??= contextOf(this.#options.sampling_rate);
    // Both before the first wait, or it is no longer the click that asks.
    const [running] = [this.#context.resume(), this.node];
    await running;
    if (this.#state === "playing") this.dispatchEvent(new Event("playing"));
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#context?.suspend();
    this.dispatchEvent(new Event("pause"));
  }

  /** Goes on at another place of what there is. @param seconds beyond it: its end. */
  seek(seconds: number): void {
    const { sampling_rate, samples } = this.#recording;
    const sample = Math.round(Math.max(0, seconds) * sampling_rate);
    if (samples === 0) return;
    this.#setState("waiting");
    this.#restart(Math.min(sample, samples));
    this.#fill();
  }

  /** All sound that was given, as a WAV file of 16 bits. */
  toBlob(): Blob {
    return this.#recording.toBlob();
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.stop();
    await this.#context?.close();
    [this.#context, this.#node] = [undefined, undefined];
  }

  async #open(): Promise<AudioWorkletNode> {
    const context = (this.#context ??= contextOf(this.#options.sampling_rate));
    await addWorklet(context);
    const node = new AudioWorkletNode(context, "bark-player", { numberOfInputs: 0 });
    node.port.onmessage = ({ data }: MessageEvent<PlayerReport>) => this.#receive(data);
    node.connect(context.destination);
    // A sound that was begun before has an epoch of which it was not told.
    node.port.postMessage(this.#cleared(context));
    return node;
  }

  #restart(sample: number): void {
    this.#epoch++;
    [this.#begin, this.#sent, this.#report] = [sample, sample, undefined];
    void this.#node?.then((node) => node.port.postMessage(this.#cleared(node.context)));
    this.#send({ kind: "run", runs: false });
    this.#update();
  }

  #cleared({ sampleRate }: BaseAudioContext): PlayerRequest {
    return { kind: "clear", epoch: this.#epoch, step: this.#recording.sampling_rate / sampleRate };
  }

  #receive(report: PlayerReport): void {
    if (report.epoch !== this.#epoch) return;
    this.#report = report;
    this.#update(report.time);
    if (report.isDry && this.#state === "playing") {
      // What is on its way will be played: only what is not there yet is waited for.
      if (this.#sent === this.#recording.samples && this.#heard >= this.#sent) {
        this.#send({ kind: "run", runs: false });
        this.#setState(this.#isWhole ? "ended" : "waiting");
      }
    }
    this.#fill();
  }

  /** Sends what the AudioWorklet needs, and lets it play as soon as there is enough. */
  #fill(): void {
    if (this.#isFilling || this.#node === undefined || this.#state === "idle" || this.#state === "ended") return;
    this.#isFilling = true;
    this.#sendAhead().catch((error: unknown) => this.dispatchEvent(new CustomEvent("error", { detail: error })));
  }

  async #sendAhead(): Promise<void> {
    try {
      for (;;) {
        const { samples: all, sampling_rate } = this.#recording;
        const isFarAhead = this.#sent - this.#heard >= ahead * sampling_rate;
        if (this.#sent === all || isFarAhead) break;
        const [epoch, from] = [this.#epoch, this.#sent];
        const samples = await this.#recording.read(from, from + blockSeconds * sampling_rate);
        // Meanwhile the listener may have gone elsewhere.
        if (epoch !== this.#epoch) continue;
        this.#sent = from + samples.length;
        this.#send({ kind: "samples", epoch, samples });
      }
      if (this.#state !== "waiting" || !this.#hasEnough()) return;
      this.#send({ kind: "run", runs: true });
      this.#setState("playing");
    } finally {
      this.#isFilling = false;
    }
  }

  #hasEnough(): boolean {
    const { sampling_rate, samples } = this.#recording;
    if (this.#isWhole) return true;
    const { prebuffer, hold } = this.#options;
    const { real_time_factor, left } = this.#supply;
    const needed = Math.max(prebuffer, Math.min(hold, secondsToHold(real_time_factor, left)));
    return (samples - this.#heard) / sampling_rate >= needed;
  }

  /** Samples up to what was heard at the last report. */
  get #heard(): number {
    return this.#begin + (this.#report?.played ?? 0);
  }

  #send(request: PlayerRequest): void {
    // Without a node nothing was heard yet: the context waits for a click.
    void this.#node?.then((node) => node.port.postMessage(request));
  }

  #setState(state: PlayerState): void {
    if (state === this.#state) return;
    this.#state = state;
    // One that is paused plays when it is resumed.
    if (state !== "idle" && !(state === "playing" && this.#isPaused)) this.dispatchEvent(new Event(state));
  }

  #update(time = -Infinity): void {
    if (time - this.#lastUpdate < 0.25 && time > this.#lastUpdate) return;
    this.#lastUpdate = time;
    this.dispatchEvent(new Event("timeupdate"));
  }
}

/** A context at the rate of the sound, or at its own where the browser refuses that: the AudioWorklet converts then. */
function contextOf(sampleRate: number): AudioContext {
  try {
    return new AudioContext({ sampleRate });
  } catch {
    return new AudioContext();
  }
}

/** The file beside this module; where a bundler left that behind, a Blob. */
async function addWorklet(context: AudioContext): Promise<void> {
  if (workletUrl !== undefined) return await context.audioWorklet.addModule(workletUrl);
  const { workletText } = await import("./worklet_text.ts");
  const address = URL.createObjectURL(new Blob([workletText!], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}
