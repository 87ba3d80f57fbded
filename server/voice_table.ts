import type { HistoryPrompt } from "../bark/voice/history_prompt.ts";
import { nearestName } from "../engine/check/nearest_name.ts";
import { EngineError } from "../engine/errors.ts";
import { languageOf } from "../speech/speak_text.ts";

/** Names of OpenAI's voices, which clients send that know no others. */
export const openaiVoices = [
  ...["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"],
  ...["marin", "nova", "onyx", "sage", "shimmer", "verse"],
] as const;

/** A voice as clients see it. */
export interface ListedVoice {
  readonly id: string;
  readonly name: string;
  readonly language: string | null;
  readonly preset: string | null;
  readonly source: "preset" | "alias" | "uploaded";
}

/** A voice that a client named. */
export interface FoundVoice {
  /** The preset's name, or what was uploaded; null: the model makes one up. */
  readonly voice: string | HistoryPrompt | null;
}

interface Uploaded {
  readonly voice: HistoryPrompt;
  readonly created_at: number;
}

/** The voices of a server: presets, other names of them, and uploaded ones. Names alone, never paths or addresses. */
export class VoiceTable {
  readonly #presets: readonly string[];
  readonly #aliases: ReadonlyMap<string, string | null>;
  readonly #uploaded = new Map<string, Uploaded>();
  readonly #mostUploaded: number;

  /**
   * @param map other names of presets. OpenAI's names, where it has none of them, are presets in turn, English ones if there
   * are any. @throws EngineError `usage` for a preset that is not there.
   */
  constructor(presets: readonly string[], map: Readonly<Record<string, string>> = {}, mostUploaded = 0) {
    requireVoices(presets, map);
    const english = presets.filter((name) => /(?:^|\/)en_speaker/.test(name));
    const spoken = english.length > 0 ? english : presets;
    const usual = openaiVoices.map((name, i): [string, string | null] => [name, spoken[i % spoken.length] ?? null]);
    this.#presets = presets;
    this.#aliases = new Map([...usual, ...Object.entries(map)].filter(([name]) => !presets.includes(name)));
    this.#mostUploaded = mostUploaded;
  }

  /** @returns undefined for a name that is none. */
  find(name: string): FoundVoice | undefined {
    if (this.#presets.includes(name)) return { voice: name };
    const uploaded = this.#uploaded.get(name);
    if (uploaded !== undefined) return { voice: uploaded.voice };
    const preset = this.#aliases.get(name);
    return preset === undefined ? undefined : { voice: preset };
  }

  get list(): ListedVoice[] {
    const presets = this.#presets.map((id) => listed(id, id, "preset"));
    const aliases = Array.from(this.#aliases, ([id, preset]) => listed(id, preset, "alias"));
    return [...presets, ...aliases, ...Array.from(this.#uploaded.keys(), (id) => listed(id, null, "uploaded"))];
  }

  nearest(name: string): string | undefined {
    return nearestName(name, [...this.#presets, ...this.#aliases.keys(), ...this.#uploaded.keys()]);
  }

  isTaken(name: string): boolean {
    return this.find(name) !== undefined;
  }

  get isFull(): boolean {
    return this.#uploaded.size >= this.#mostUploaded;
  }

  add(name: string, voice: HistoryPrompt, created_at: number): void {
    this.#uploaded.set(name, { voice, created_at });
  }

  /** @returns whether it was an uploaded one. */
  delete(name: string): boolean {
    return this.#uploaded.delete(name);
  }
}

/** @throws EngineError `usage` for a preset that is not there. */
export function requireVoices(presets: readonly string[], map: Readonly<Record<string, string>> = {}): void {
  const wrong = Object.entries(map).find(([, preset]) => !presets.includes(preset));
  if (wrong === undefined) return;
  throw new EngineError("usage", "is no voice of the checkpoint", {
    where: `voices_map: ${wrong.join("=")}`,
    expected: presets.slice(0, 5).join(", ") || "a checkpoint with voices",
    actual: wrong[1],
    ...(presets.length > 5 ? { fix: "`bark voices` lists them" } : {}),
  });
}

function listed(id: string, preset: string | null, source: ListedVoice["source"]): ListedVoice {
  const isNamed = preset !== null && /(?:^|\/)[a-z]{2}_speaker_/.test(preset);
  return { id, name: id, language: isNamed ? languageOf(preset) : null, preset, source };
}
