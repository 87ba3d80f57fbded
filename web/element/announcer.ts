/** The text of a live region, which changes at most once a second: a screen reader would read nothing else. */
export class Announcer {
  readonly #region: HTMLElement;
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  say(text: string): void {
    clearTimeout(this.#timer);
    const wait = this.#last + 1000 - performance.now();
    if (wait > 0) this.#timer = setTimeout(() => this.say(text), wait);
    else if (this.#region.textContent !== text) {
      this.#region.textContent = text;
      this.#last = performance.now();
    }
  }
}
