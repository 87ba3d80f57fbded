import type { SpeechPiece } from "../../../speech/speech.ts";
import { h } from "../dom.ts";
import { text } from "../text.ts";

/** A stretch of the text, and when it is heard. */
interface Mark {
  readonly start: number;
  readonly end: number;
  readonly element: HTMLElement;
}

/** The text with what is heard now marked: a piece, or a word where captions have words. */
export class Transcript {
  readonly element: HTMLElement;
  readonly #body = h("p", { class: "transcript", "aria-label": text.readAlong, role: "region", tabindex: 0 });
  #text = "";
  #marks: Mark[] = [];
  #now: Mark | undefined;

  constructor() {
    this.element = this.#body;
    this.show("", []);
  }

  show(whole: string, captions: readonly SpeechPiece[]): void {
    this.#text = whole;
    this.#marks = [];
    this.#now = undefined;
    this.#body.hidden = whole === "";
    const parts: (Node | string)[] = [];
    let at = 0;
    for (const { source, start, end } of captions.flatMap((caption) => stretchesOf(caption))) {
      const [from, to] = [Math.max(at, source[0]), source[1]];
      if (to <= from) continue;
      const element = h("span", {}, whole.slice(from, to));
      parts.push(whole.slice(at, from), element);
      this.#marks.push({ start, end, element });
      at = to;
    }
    this.#body.replaceChildren(...parts, h("span", { class: "unsaid" }, whole.slice(at)));
  }

  get text(): string {
    return this.#text;
  }

  /** Marks what is heard at a time, in seconds; undefined: nothing. */
  follow(seconds: number | undefined): void {
    const now = seconds === undefined ? undefined : this.#marks.findLast(({ start }) => start <= seconds);
    if (now === this.#now) return;
    this.#now?.element.classList.remove("now");
    now?.element.classList.add("now");
    this.#now = now;
    if (now === undefined) return;
    // Within its own box: the page must not jump under a person who reads elsewhere.
    const { offsetTop, offsetHeight } = now.element;
    const { scrollTop, clientHeight } = this.#body;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight)
      this.#body.scrollTop = offsetTop - clientHeight / 3;
  }
}

/** The words of a piece, or the whole of it. */
function stretchesOf(caption: SpeechPiece): readonly Pick<SpeechPiece, "source" | "start" | "end">[] {
  return caption.words?.length ? caption.words : [caption];
}
