import type { SpeechProgress } from "../../../speech/speak_text.ts";
import { clock, h } from "../dom.ts";
import { text } from "../text.ts";

/**
 * How far a text is spoken: the bar counts letters of parts that are spoken, since nobody knows before how long the sound of
 * one becomes. The line beside it says more, and is no live region: it changes many times a second.
 */
export class ProgressView {
  readonly element: HTMLElement;
  readonly #bar = h("progress", { max: 1, "aria-label": text.progress });
  readonly #line = h("span", { class: "help" });
  #share = 0;
  #piece = "";
  #left = "";
  #sound = 0;

  constructor() {
    this.element = h("div", { class: "progress", hidden: true }, this.#bar, this.#line);
  }

  begin(): void {
    [this.#share, this.#piece, this.#left, this.#sound] = [0, text.loadingShort, "", 0];
    this.element.hidden = false;
    this.#show();
  }

  end(): void {
    this.element.hidden = true;
  }

  /** @returns what changes seldom enough to be read out. */
  work({ stage, done, total, totalIsKnown, piece, pieces, whole }: SpeechProgress): string {
    const part = text.piece(piece + 1, Math.max(pieces, piece + 1));
    const units = totalIsKnown ? text.tokens(done, total) : text.tokensOpen(done);
    this.#piece = `${part}: ${text.stages[stage]}, ${units}`;
    const factor = whole?.real_time_factor ?? null;
    if (whole !== undefined && factor !== null) this.#left = text.secondsLeft(clock(whole.seconds_left * factor));
    this.#show();
    return `${part}: ${text.stages[stage]}`;
  }

  /** @param share of the letters that are spoken. @param seconds of sound so far. */
  spoken(share: number, seconds: number): void {
    [this.#share, this.#sound] = [share, seconds];
    this.#show();
  }

  #show(): void {
    const sound = this.#sound > 0 ? text.soundSoFar(this.#sound.toFixed(1)) : "";
    const line = [this.#piece, sound, this.#left].filter((part) => part !== "").join(" · ");
    this.#line.textContent = line;
    this.#bar.setAttribute("aria-valuetext", line);
    if (this.#share > 0) this.#bar.value = this.#share;
    else this.#bar.removeAttribute("value");
  }
}
