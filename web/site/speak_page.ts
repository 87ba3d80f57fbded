import { EngineError } from "../../engine/errors.ts";
import { Announcer } from "../element/announcer.ts";
import { explained, obstacleInSight } from "../obstacles.ts";
import { Player } from "../player/player.ts";
import { button, card, h, labelled } from "./dom.ts";
import { droppedFiles } from "./files.ts";
import { MachinePanel } from "./panels/machine_panel.ts";
import { ModelPanel } from "./panels/model_panel.ts";
import { PlayerView } from "./panels/player_view.ts";
import { ProgressView } from "./panels/progress_view.ts";
import { StoredPanel } from "./panels/stored_panel.ts";
import { TakesPanel } from "./panels/takes_panel.ts";
import { Transcript } from "./panels/transcript.ts";
import { VoicePanel } from "./panels/voice_panel.ts";
import { newSeed, readHash, SettingsPanel, writeHash } from "./settings.ts";
import type { PageSpeaker } from "./server_speaker.ts";
import { Speaking, type SpokenTake } from "./speaking.ts";
import { samplesOf, type Take } from "./take.ts";
import { text } from "./text.ts";

/** The page: a text, what it is spoken with, and what was spoken. */
export class SpeakPage {
  readonly elements: readonly HTMLElement[];
  readonly #text = h("textarea", { rows: 7, name: "text" });
  readonly #speak = button(text.speak, () => void this.#press(), { class: "primary" });
  readonly #stop = button(text.stop, () => this.#stopSpeaking(), { disabled: true });
  readonly #status = h("p", { role: "status", class: "status" });
  readonly #announcer = new Announcer(this.#status);
  readonly #problem = h("p", { role: "alert", class: "problem", hidden: true });
  readonly #player = new Player();
  readonly #transcript = new Transcript();
  readonly #view = new PlayerView(this.#player, (seconds) => this.#transcript.follow(seconds));
  readonly #progress = new ProgressView();
  readonly #machine = new MachinePanel();
  readonly #stored = new StoredPanel();
  readonly #settings = new SettingsPanel(() => this.#remember());
  readonly #voices = new VoicePanel(
    () => this.#remember(),
    () => void this.#preview(),
  );
  readonly #model = new ModelPanel({
    changed: () => {
      this.#stopSpeaking();
      this.#voices.offer([]);
      this.#problem.hidden = true;
      this.#showObstacle();
      this.#remember();
    },
    begun: () => (this.#problem.hidden = true),
    loaded: (bark) => this.#loaded(bark),
    notice: (line) => this.#announcer.tell(line),
    failed: (error) => this.#fail(error),
  });
  readonly #takes = new TakesPanel({
    play: (take) => void this.#play(take),
    restore: (take) => this.#restore(take),
    saveVoice: (take) => this.#saveVoice(take),
    notice: (line) => this.#announcer.tell(line),
    failed: (error) => this.#fail(error),
  });
  #run: Speaking | undefined;
  /** What plays an older take into the player. */
  #feed = 0;

  constructor() {
    const composer = card(
      text.speak,
      labelled(text.text, this.#text, text.textHelp),
      this.#voices.element,
      h("div", { class: "row" }, this.#speak, this.#stop),
      this.#status,
      this.#problem,
      this.#progress.element,
      this.#view.element,
      this.#transcript.element,
    );
    const main = h("div", { class: "column" }, composer, this.#takes.element, this.#settings.element);
    const panels = [this.#model, this.#machine, this.#stored].map(({ element }) => element);
    this.elements = [h("div", { class: "columns" }, main, h("div", { class: "column side" }, ...panels))];
    this.#text.addEventListener("change", () => this.#remember());
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.#speak.disabled) void this.#press();
    });
    addEventListener("keydown", ({ key }) => key === "Escape" && this.#stopSpeaking());
    addEventListener("hashchange", () => this.#readAddress());
    // A take that is played again can be stopped, too.
    for (const name of ["waiting", "playing", "ended"]) this.#player.addEventListener(name, () => this.#showButtons());
    this.#takeDrops();
    this.#readAddress();
    this.#showObstacle();
  }

  async #press(): Promise<void> {
    const whole = this.#text.value;
    if (whole.trim() === "") return this.#fail(new EngineError("usage", text.nothing));
    const settings = this.#settings.values;
    await this.#start(whole, settings["seed"] === "" ? { ...settings, seed: newSeed() } : settings, true);
  }

  /** Speaks a short text in the voice that is chosen. */
  async #preview(): Promise<void> {
    await this.#start(text.previewText, { ...this.#settings.values, seed: "1" }, false);
  }

  /** @param isKept whether it becomes a take. */
  async #start(whole: string, settings: Readonly<Record<string, string>>, isKept: boolean): Promise<void> {
    this.#stopSpeaking();
    this.#problem.hidden = true;
    const run = new Speaking(whole, settings, {
      player: this.#player,
      begun: () => {
        this.#view.clear();
        this.#transcript.show(whole, []);
      },
      progress: (progress) => this.#say(this.#progress.work(progress)),
      part: (part, captions, share) => {
        this.#view.push(part.audio);
        this.#transcript.show(whole, captions);
        this.#progress.spoken(share, this.#player.duration);
        this.#machine.showFactor(part.real_time_factor);
      },
    });
    this.#run = run;
    this.#takes.mark(undefined);
    this.#progress.begin();
    // The model may have to come first.
    this.#say(text.loadingShort);
    this.#showButtons();
    const model = this.#model.name;
    try {
      // Before the first wait: browsers forbid sound without a click.
      const sound = this.#player.resume();
      const bark = await this.#model.load();
      if (this.#run === run) this.#say(text.speaking);
      const { voice, name } = this.#voices;
      const take = await run.speak(bark, voice);
      await sound;
      if (isKept && take !== undefined) this.#keep({ ...take, voice: name, model, number: this.#takes.next });
      if (this.#run === run && take?.isWhole === true)
        this.#say(text.done(take.seconds.toFixed(1), (take.milliseconds / 1000).toFixed(1)));
    } catch (error) {
      if (this.#run === run) this.#fail(error);
    } finally {
      if (this.#run === run) this.#run = undefined;
      if (this.#run === undefined) this.#progress.end();
      this.#showButtons();
      void this.#stored.update();
    }
  }

  #keep({ milliseconds, ...take }: SpokenTake & Pick<Take, "voice" | "model" | "number">): void {
    void milliseconds;
    this.#takes.add(take);
    this.#takes.mark(take);
  }

  #stopSpeaking(): void {
    this.#feed++;
    const isHeard = ["playing", "waiting"].includes(this.#player.state);
    if (this.#run === undefined && !isHeard) return;
    this.#run?.stop();
    this.#run = undefined;
    this.#player.stop();
    this.#progress.end();
    this.#say(text.stopped);
    this.#showButtons();
  }

  async #play(take: Take): Promise<void> {
    this.#stopSpeaking();
    const feed = this.#feed;
    this.#player.begin(take.sampling_rate);
    this.#view.clear();
    this.#transcript.show(take.text, take.captions);
    this.#takes.mark(take);
    const sound = this.#player.resume();
    for await (const samples of samplesOf(take)) {
      if (feed !== this.#feed) return;
      this.#player.push(samples);
      this.#view.push(samples);
    }
    this.#player.end();
    await sound;
  }

  #restore(take: Take): void {
    this.#text.value = take.text;
    this.#settings.set({ ...take.settings, seed: take.seed });
    this.#voices.name = take.voice;
    this.#remember();
    this.#text.focus();
  }

  #saveVoice(take: Take): void {
    const name = text.savedVoice(take.number);
    this.#voices.add(name, take.npz!);
    this.#remember();
    this.#say(text.voiceKept(name));
  }

  #loaded(bark: PageSpeaker): void {
    this.#machine.show(bark.model);
    this.#voices.offer(bark.list_voices());
    void this.#stored.update();
  }

  /** Voices and checkpoints may be dropped anywhere. */
  #takeDrops(): void {
    addEventListener("dragover", (event) => {
      event.preventDefault();
      document.body.toggleAttribute("data-drop", true);
    });
    for (const name of ["dragleave", "drop"])
      addEventListener(name, () => document.body.toggleAttribute("data-drop", false));
    addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer !== null) void this.#take(event.dataTransfer).catch((error: unknown) => this.#fail(error));
    });
  }

  async #take(transfer: DataTransfer): Promise<void> {
    const { folder, files } = await droppedFiles(transfer);
    const all = Object.values(files);
    if (all.length === 0) return;
    if (all.length > 1 || folder !== "" || !/\.npz$/i.test(all[0].name))
      return this.#model.useFiles(files, folder === "" ? text.chosenFiles : folder);
    await this.#voices.addFile(all[0]);
    this.#say(text.voiceRead(this.#voices.name));
  }

  #readAddress(): void {
    const values = readHash();
    this.#text.value = values["text"] ?? (this.#text.value === "" ? text.sample : this.#text.value);
    this.#settings.set(values);
    if (values["voice"] !== undefined) this.#voices.name = values["voice"];
    this.#model.set(values);
  }

  #remember(): void {
    const { name } = this.#voices;
    const voice = this.#voices.isOwn(name) ? "" : name;
    const content = this.#text.value === text.sample ? "" : this.#text.value;
    writeHash({ ...this.#model.values, voice, ...this.#settings.values, text: content });
  }

  #showObstacle(): void {
    const obstacle = this.#obstacle();
    this.#problem.textContent = obstacle ?? "";
    this.#problem.hidden = obstacle === undefined;
    this.#showButtons();
  }

  /** A server needs no WebGPU here; the player needs a secure context in any case. */
  #obstacle(): string | undefined {
    return this.#model.isServer && isSecureContext ? undefined : obstacleInSight();
  }

  #showButtons(): void {
    this.#speak.disabled = this.#obstacle() !== undefined;
    this.#stop.disabled = this.#run === undefined && !["playing", "waiting"].includes(this.#player.state);
  }

  #fail(error: unknown): void {
    this.#player.stop();
    // A picture of nothing would look like a sound that is lost.
    if (this.#player.duration === 0) {
      this.#view.element.hidden = true;
      this.#transcript.show("", []);
    }
    this.#problem.textContent = this.#model.isServer
      ? String(error instanceof EngineError ? error.message : error)
      : explained(error);
    this.#problem.hidden = false;
    this.#announcer.say("");
  }

  #say(line: string): void {
    this.#announcer.say(line);
  }
}
