import { EngineError } from "../../engine/errors.ts";
import type { BarkProgress } from "../../bark/generate/output.ts";
import type { ProgressInfo } from "../../bark/load/load_options.ts";
import type { StreamOptions } from "../../speech/speak_options.ts";
import type { SpeechProgress } from "../../speech/speak_text.ts";
import type { StreamedPiece } from "../../speech/speech.ts";
import { explained, obstacleInSight } from "../obstacles.ts";
import { Player } from "../player/player.ts";
import { Said } from "../said.ts";
import { text as words } from "../text.ts";
import { Announcer } from "./announcer.ts";
import { SharedModel, type LoadListeners } from "./shared_model.ts";
import { viewIn, type View } from "./view.ts";

/** Details of the element's events, by name. All but `error` bubble: one that did would look like a fault of the page. */
export interface BarkSpeechEvents {
  progress: ProgressInfo | BarkProgress | SpeechProgress;
  chunk: StreamedPiece;
  done: { seconds: number; sampling_rate: number; seed: bigint };
  ended: null;
  error: EngineError;
}

/** A server has no elements, but may import a page's code. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * `<bark-speech model="nano" voice="en_speaker_1">text</bark-speech>`: text with buttons that speak it. Attributes: `model`
 * (as of BarkWorker; default nano), `voice`, `seed`, `latency`, `text` (default: what is inside).
 */
export class BarkSpeech extends Base {
  static readonly observedAttributes = ["autoplay", "model"];

  /** More options of `BarkTTS.stream`, such as `temperature`. Those that have attributes are taken from these. */
  options: StreamOptions = {};

  readonly #player = new Player();
  #view: View | undefined;
  #announcer: Announcer | undefined;
  #model: SharedModel | undefined;
  #run: AbortController | undefined;
  #download: string | undefined;

  readonly #listeners: Required<LoadListeners> = {
    progress_callback: (info) => this.#tell("progress", info),
    on_progress: (progress) => {
      this.#tell("progress", progress);
      // Another element's worker may have ended: it is loaded anew for all.
      if (!this.isSpeaking) return;
      this.#view!.progress.value = progress.done / progress.total;
      this.#say(words.loading(progress.done / progress.total));
    },
    onNotice: (line) => {
      console.info(`bark-speech: ${line}`);
    },
  };

  get model(): string {
    return this.getAttribute("model") ?? "nano";
  }
  set model(value: string) {
    this.setAttribute("model", value);
  }

  get voice(): string | null {
    return this.getAttribute("voice");
  }
  set voice(value: string | null) {
    this.#reflect("voice", value);
  }

  get seed(): string | null {
    return this.getAttribute("seed");
  }
  set seed(value: string | number | bigint | null) {
    this.#reflect("seed", value);
  }

  get latency(): string | null {
    return this.getAttribute("latency");
  }
  set latency(value: string | null) {
    this.#reflect("latency", value);
  }

  /** What is spoken. */
  get text(): string {
    return this.getAttribute("text") ?? (this.textContent ?? "").trim();
  }
  set text(value: string | null) {
    this.#reflect("text", value);
  }

  /** The player: position, seek, events of its own. */
  get player(): Player {
    return this.#player;
  }

  /** Whether sound is being made. */
  get isSpeaking(): boolean {
    return this.#run !== undefined;
  }

  connectedCallback(): void {
    this.#view ??= this.#open();
    const obstacle = obstacleInSight();
    this.#view.button.disabled = obstacle !== undefined;
    if (obstacle !== undefined) this.#say(obstacle);
  }

  /** One that is moved in the page is gone for no longer than a turn. */
  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.stop();
      this.#releaseModel();
    });
  }

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (name === "autoplay" && value !== null) console.info(`bark-speech: ${words.autoplay}`);
    if (name === "model" && before !== value) this.#releaseModel();
  }

  /**
   * Speaks the text, and plays it while it is made: call it in a click. A text that is being spoken is stopped.
   * @returns when all sound is made, or it was stopped. Errors are told by the event `error`.
   */
  async speak(): Promise<void> {
    this.stop();
    const run = new AbortController();
    this.#run = run;
    this.#player.begin();
    this.#show();
    this.#say(words.loading(0));
    try {
      const sound = this.#player.resume();
      await this.#make(this.text, run.signal);
      await sound;
    } catch (error) {
      if (this.#run === run) this.#fail(error);
    } finally {
      if (this.#run === run) this.#run = undefined;
      this.#show();
    }
  }

  /** Silence at once, and no more sound is made. */
  stop(): void {
    if (this.#run === undefined && !["playing", "waiting"].includes(this.#player.state)) return;
    this.#run?.abort();
    this.#run = undefined;
    this.#player.stop();
    this.#say(words.stopped);
    this.#show();
  }

  async pause(): Promise<void> {
    await this.#player.pause();
  }

  async resume(): Promise<void> {
    await this.#player.resume();
  }

  /** The sound so far, as a WAV file of 16 bits. */
  toBlob(): Blob {
    return this.#player.toBlob();
  }

  async #make(text: string, signal: AbortSignal): Promise<void> {
    if (text === "") throw new EngineError("usage", words.nothing);
    this.#model ??= SharedModel.use(this.model, this.#listeners);
    const bark = await this.#model.bark;
    if (signal.aborted) return;
    const { adapter, is_software, sampling_rate } = bark.model;
    this.#view!.progress.removeAttribute("value");
    this.#say(words.loaded(adapter, is_software));
    this.#player.begin(sampling_rate);
    const on_progress = (progress: SpeechProgress): void => this.#tell("progress", progress);
    const said = new Said(text);
    let last: StreamedPiece | undefined;
    for await (const part of bark.stream(text, { ...this.#streamOptions(), on_progress, signal })) {
      if (signal.aborted) return;
      const { audio, real_time_factor, piece, pieces } = part;
      const { left, share } = said.take(part);
      this.#player.push(audio, { real_time_factor, left });
      this.#view!.progress.value = share;
      this.#say(words.working(piece, pieces));
      this.#tell("chunk", part);
      last = part;
    }
    if (signal.aborted) return;
    this.#player.end();
    const seconds = this.#player.duration;
    this.#say(words.done(seconds));
    this.#tell("done", { seconds, sampling_rate, seed: last!.seed });
  }

  #streamOptions(): StreamOptions {
    const { voice, seed, latency } = this;
    return {
      ...this.options,
      ...(voice === null ? {} : { voice }),
      // One that is no number is refused by its name where options are read.
      ...(seed === null ? {} : { seed: /^\d+$/.test(seed) ? BigInt(seed) : (seed as never) }),
      ...(latency === null ? {} : { latency: latency as StreamOptions["latency"] }),
    };
  }

  #open(): View {
    const view = viewIn(this.attachShadow({ mode: "open" }));
    this.#announcer = new Announcer(view.status);
    view.button.addEventListener("click", () => void this.#press());
    view.stop.addEventListener("click", () => this.stop());
    this.addEventListener("keydown", ({ key }) => key === "Escape" && this.stop());
    view.seek.addEventListener("input", () => this.#player.seek(Number(view.seek.value)));
    for (const name of ["waiting", "playing", "pause", "timeupdate", "durationchange", "ended"])
      this.#player.addEventListener(name, () => this.#show());
    this.#player.addEventListener("ended", () => this.#tell("ended", null));
    this.#player.addEventListener("waiting", () => this.#say(words.waiting));
    this.#view = view;
    this.#show();
    return view;
  }

  async #press(): Promise<void> {
    const isHeard = ["playing", "waiting"].includes(this.#player.state);
    if (!isHeard) await this.speak();
    else if (this.#player.paused) await this.resume();
    else await this.pause();
  }

  #show(): void {
    if (this.#view === undefined) return;
    const { button, stop, seek, progress, download } = this.#view;
    const { state, paused, position, duration } = this.#player;
    const isHeard = state === "playing" || state === "waiting";
    button.textContent = !isHeard ? words.speak : paused ? words.resume : words.pause;
    stop.disabled = !isHeard && !this.isSpeaking;
    progress.hidden = !this.isSpeaking;
    if (!this.isSpeaking) progress.removeAttribute("value");
    seek.hidden = duration === 0;
    [seek.max, seek.value] = [String(duration), String(position)];
    seek.setAttribute("aria-valuetext", words.positionOf(position, duration));
    this.#offer(download, duration > 0 && !this.isSpeaking);
  }

  /** The address of a Blob is made once for each sound, and freed. */
  #offer(download: HTMLAnchorElement, isWhole: boolean): void {
    download.hidden = !isWhole;
    if (isWhole === (this.#download !== undefined)) return;
    if (this.#download !== undefined) URL.revokeObjectURL(this.#download);
    this.#download = isWhole ? URL.createObjectURL(this.toBlob()) : undefined;
    if (this.#download !== undefined) download.href = this.#download;
  }

  #fail(error: unknown): void {
    this.#player.stop();
    this.#say(explained(error));
    const told = error instanceof EngineError ? error : new EngineError("internal", String(error), { cause: error });
    this.#tell("error", told);
  }

  #tell<K extends keyof BarkSpeechEvents>(name: K, detail: BarkSpeechEvents[K]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: name !== "error", composed: true }));
  }

  #say(text: string): void {
    this.#announcer?.say(text);
  }

  #reflect(name: string, value: string | number | bigint | null): void {
    if (value === null) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  #releaseModel(): void {
    this.#model?.release(this.#listeners);
    this.#model = undefined;
  }
}
