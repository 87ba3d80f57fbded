import type { StreamOptions } from "../../speech/speak_options.ts";
import { button, card, h, labelled, options } from "./dom.ts";
import { settingTexts, text } from "./text.ts";

interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** How each setting is chosen: from names, or as a number. Empty: the model's own. */
const kinds: Readonly<Record<string, readonly string[] | Range | "seed">> = {
  seed: "seed",
  temperature: { min: 0.05, max: 2, step: 0.05 },
  fine_temperature: { min: 0.05, max: 2, step: 0.05 },
  latency: ["exact", "low"],
  retries: { min: 0, max: 10, step: 1 },
  normalize: ["none", "basic"],
  words: ["no", "yes"],
  loudness: { min: -40, max: -5, step: 0.5 },
  semantic_max_new_tokens: { min: 1, max: 768, step: 1 },
};

export type SettingValues = Readonly<Record<string, string>>;

/** A seed that a person can copy. */
export function newSeed(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}

/** Options of a stream. What is empty is left out; what is wrong is refused by its name where options are read. */
export function streamOptions(values: SettingValues): StreamOptions {
  const given = Object.entries(values).filter(([name, value]) => name in kinds && value !== "");
  return Object.fromEntries(given.map(([name, value]) => [name, valueOf(name, value)]));
}

function valueOf(name: string, value: string): unknown {
  if (kinds[name] === "seed") return /^\d+$/.test(value) ? BigInt(value) : value;
  if (name === "words") return value === "yes";
  return Array.isArray(kinds[name]) ? value : Number(value);
}

/** Each setting, with the line that explains it. */
export class SettingsPanel {
  readonly element: HTMLElement;
  readonly #controls = new Map<string, HTMLInputElement | HTMLSelectElement>();

  /** @param onChange after a person changed one. */
  constructor(onChange: () => void) {
    const fields = Object.keys(kinds).map((name) => {
      const control = controlOf(name);
      control.addEventListener("change", onChange);
      this.#controls.set(name, control);
      return labelled(...fieldOf(name, control));
    });
    const reset = button(text.reset, () => {
      this.set({});
      onChange();
    });
    this.element = card(text.settings, h("div", { class: "fields" }, ...fields), h("div", { class: "row" }, reset));
  }

  get values(): SettingValues {
    return Object.fromEntries([...this.#controls].map(([name, control]) => [name, control.value]));
  }

  set(values: SettingValues): void {
    for (const [name, control] of this.#controls) control.value = values[name] ?? defaultOf(name);
  }
}

function fieldOf(name: string, control: HTMLElement): [label: string, control: HTMLElement, help: string] {
  const [label, help] = settingTexts[name];
  return [label, control, help];
}

function defaultOf(name: string): string {
  const kind = kinds[name];
  return Array.isArray(kind) ? (kind as readonly string[])[0] : "";
}

function controlOf(name: string): HTMLInputElement | HTMLSelectElement {
  const kind = kinds[name];
  if (kind === "seed") return h("input", { name, inputmode: "numeric", pattern: "\\d*", autocomplete: "off" });
  if ("min" in kind) return h("input", { name, type: "number", ...kind });
  return h("select", { name }, ...options(kind.map((value) => [value, value] as const)));
}

/** What the address holds after `#`, by name. */
export function readHash(hash = location.hash): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(hash.slice(1)));
}

/** Longer texts stay out of the address: some programs cut long ones. */
const longestText = 2000;

/** Writes what is not empty into the address, without a step in the history. */
export function writeHash(values: Readonly<Record<string, string>>): void {
  const kept = Object.entries(values).filter(
    ([name, value]) => value !== "" && value !== defaultOf(name) && (name !== "text" || value.length <= longestText),
  );
  const hash = new URLSearchParams(kept).toString();
  history.replaceState(null, "", hash === "" ? location.pathname + location.search : `#${hash}`);
}
