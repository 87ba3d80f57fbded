import type { HubOptions } from "./options.ts";

/** Milliseconds between two events of a file. */
const step = 1 << 20;

/** Turns the downloads of a repository into the events of transformers.js. */
export class HubProgress {
  readonly #name: string;
  readonly #onEvent: HubOptions["onEvent"];
  readonly #files = new Map<string, { loaded: number; total: number }>();

  constructor(name: string, onEvent: HubOptions["onEvent"]) {
    this.#name = name;
    this.#onEvent = onEvent;
  }

  /** The file is asked for. */
  begin(file: string): void {
    this.#onEvent?.({ status: "initiate", name: this.#name, file });
  }

  /** The file is there, of `total` bytes, `loaded` of which are here already. */
  start(file: string, loaded: number, total: number): void {
    this.#files.set(file, { loaded, total });
    this.#onEvent?.({ status: "download", name: this.#name, file });
    this.#report(file, loaded, total);
  }

  /** So many bytes of it are here now. */
  advance(file: string, loaded: number): void {
    const state = this.#files.get(file);
    if (state === undefined || (loaded < state.total && Math.abs(loaded - state.loaded) < step)) return;
    state.loaded = loaded;
    this.#report(file, loaded, state.total);
  }

  done(file: string): void {
    this.#onEvent?.({ status: "done", name: this.#name, file });
  }

  #report(file: string, loaded: number, total: number): void {
    const name = this.#name;
    this.#onEvent?.({ status: "progress", name, file, progress: percent(loaded, total), loaded, total });
    const all = { loaded: 0, total: 0 };
    for (const state of this.#files.values()) {
      all.loaded += state.loaded;
      all.total += state.total;
    }
    const files = Object.fromEntries(Array.from(this.#files, ([file, state]) => [file, { ...state }]));
    this.#onEvent?.({ status: "progress_total", name, progress: percent(all.loaded, all.total), ...all, files });
  }
}

function percent(loaded: number, total: number): number {
  return total === 0 ? 100 : (loaded / total) * 100;
}
