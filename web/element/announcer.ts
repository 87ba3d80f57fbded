/** Milliseconds that a line stays: a screen reader would read nothing else if it changed more often. */
const stay = { progress: 1000, notice: 2000 };

/** The text of a live region. Of progress the newest line is shown once the one before has stayed; of notices every one, first. */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #notices: string[] = [];
  #progress: string | undefined;
  #until = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Shows a line unless a newer one comes before its turn. */
  say(text: string): void {
    this.#progress = text;
    this.#show();
  }

  /** Shows a line that nothing may take the place of. */
  tell(notice: string): void {
    this.#notices.push(notice);
    this.#show();
  }

  #show(): void {
    clearTimeout(this.#timer);
    const wait = this.#until - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#show(), wait);
      return;
    }
    const isNotice = this.#notices.length > 0;
    const text = isNotice ? this.#notices.shift() : this.#progress;
    if (!isNotice) this.#progress = undefined;
    if (text === undefined) return;
    if (this.#region.textContent !== text) {
      this.#region.textContent = text;
      this.#until = performance.now() + stay[isNotice ? "notice" : "progress"];
    }
    this.#show();
  }
}
