import type { VoicePreset } from "../../../bark/voice/voices.ts";
import { button, h, labelled, options } from "../dom.ts";
import { text } from "../text.ts";

/** Chooses a voice: of the model, of a file, of a take. */
export class VoicePanel {
  readonly element: HTMLElement;
  readonly #select = h("select", { name: "voice" });
  /** Voices that a person brought, by their names. */
  readonly #own = new Map<string, Uint8Array>();
  #presets: readonly string[] = [];
  /** The voices of a model are known only when it is loaded: until then, one is wanted by its name. */
  #wanted = "";
  /** Whether a person, or the address, named it. */
  #isChosen = false;

  constructor(onChange: () => void, preview: () => void) {
    const input = h("input", { type: "file", accept: ".npz", hidden: true });
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file !== undefined) void this.addFile(file).then(onChange);
    });
    this.#select.addEventListener("change", () => {
      this.name = this.#select.value;
      onChange();
    });
    const buttons = [button(text.preview, preview), button(text.voiceFile, () => input.click()), input];
    this.element = h(
      "div",
      { class: "voice" },
      labelled(text.voice, this.#select, text.voiceHelp),
      h("div", { class: "row" }, ...buttons),
    );
    this.#show();
  }

  /** What is spoken with; null: none. */
  get voice(): VoicePreset | null {
    return this.name === "" ? null : (this.#own.get(this.name) ?? this.name);
  }

  get name(): string {
    return this.#select.value;
  }

  set name(name: string) {
    [this.#wanted, this.#isChosen] = [name, true];
    this.#show();
  }

  /** The voices that come with a model. */
  offer(presets: readonly string[]): void {
    this.#presets = presets;
    const usual = presets.find((name) => /(^|\/)en_speaker_1$/.test(name)) ?? presets.at(0) ?? "";
    if (!this.#isChosen) this.#wanted = usual;
    this.#show();
  }

  async addFile(file: File): Promise<void> {
    this.add(file.name.replace(/\.npz$/i, ""), new Uint8Array(await file.arrayBuffer()));
  }

  /** Takes a voice, and chooses it. */
  add(name: string, npz: Uint8Array): void {
    this.#own.set(name, npz);
    this.name = name;
  }

  isOwn(name: string): boolean {
    return this.#own.has(name);
  }

  #show(): void {
    const names = [...new Set([...this.#own.keys(), ...this.#presets, ...(this.#wanted === "" ? [] : [this.#wanted])])];
    this.#select.replaceChildren(
      ...options([["", text.noVoice], ...names.map((name) => [name, described(name)] as const)]),
    );
    this.#select.value = this.#wanted;
  }
}

/** suno's presets begin with their language: `v2/en_speaker_1`. */
function described(name: string): string {
  const language = /(?:^|\/)([a-z]{2})_speaker_/.exec(name)?.[1] ?? "";
  const known = text.language[language];
  return known === undefined ? name : `${name} (${known})`;
}
