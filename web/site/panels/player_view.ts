import type { Player } from "../../player/player.ts";
import { SoundView } from "../drawing/sound_view.ts";
import { button, clock, h } from "../dom.ts";
import { text } from "../text.ts";

/** The sound that is heard: its picture, a place in it, and play and pause. */
export class PlayerView {
  readonly element: HTMLElement;
  readonly #player: Player;
  readonly #sound = new SoundView((share) => this.#player.seek(share * this.#player.duration));
  readonly #seek = h("input", { type: "range", min: 0, step: "any", "aria-label": text.position });
  readonly #toggle: HTMLButtonElement;
  readonly #time = h("span", { class: "number" });
  readonly #follow: (seconds: number | undefined) => void;

  /** @param follow is told the time that is heard, in seconds. */
  constructor(player: Player, follow: (seconds: number | undefined) => void) {
    this.#player = player;
    this.#follow = follow;
    this.#toggle = button(text.play, () => void this.#press());
    this.#seek.addEventListener("input", () => player.seek(Number(this.#seek.value)));
    this.element = h(
      "div",
      { class: "player", hidden: true },
      this.#sound.element,
      h("div", { class: "row" }, this.#toggle, this.#seek, this.#time),
    );
    for (const name of ["waiting", "playing", "pause", "timeupdate", "durationchange", "ended"])
      player.addEventListener(name, () => this.show());
    this.show();
  }

  clear(): void {
    this.#sound.clear();
    this.element.hidden = false;
  }

  push(samples: Float32Array): void {
    this.#sound.push(samples);
  }

  show(): void {
    const { state, paused, position, duration } = this.#player;
    const isHeard = state === "playing" || state === "waiting";
    this.#toggle.textContent = isHeard && !paused ? text.pause : text.play;
    [this.#seek.max, this.#seek.value] = [String(duration), String(position)];
    const [at, all] = [clock(position), clock(duration)];
    this.#seek.setAttribute("aria-valuetext", text.positionOf(at, all));
    this.#time.textContent = `${at} / ${all}`;
    this.#sound.place(duration > 0 ? position / duration : 0);
    this.#follow(isHeard || position > 0 ? position : undefined);
  }

  async #press(): Promise<void> {
    const { state, paused, duration, position } = this.#player;
    const isHeard = state === "playing" || state === "waiting";
    if (isHeard && !paused) return await this.#player.pause();
    if (!isHeard) this.#player.seek(position < duration ? position : 0);
    await this.#player.resume();
  }
}
