import type { SpeechPiece } from "../../../speech/speech.ts";
import { h } from "../dom.ts";
import { text } from "../text.ts";

/** A stretch of the text, and when it is heard. */
interface Mark {
  readonly start: number;
  readonly element: HTMLElement;
}

/** A caption that is shown: where it begins in the text, and with which mark. */
interface Shown {
  readonly element: HTMLElement;
  readonly from: number;
  readonly firstMark: number;
}

/** Captions in a paragraph: a browser lays all of one out anew whenever something in it changes. */
const inParagraph = 20;
/** Characters that are shown of what is not spoken yet. */
const ahead = 4000;

/** The text with what is heard now marked: a piece, or a word where captions have words. */
export class Transcript {
  readonly element = h("div", { class: "transcript", "aria-label": text.readAlong, role: "region", tabindex: 0 });
  readonly #rest = h("span", { class: "unsaid" });
  #text = "";
  #at = 0;
  #shown: Shown[] = [];
  #marks: Mark[] = [];
  #now: Mark | undefined;

  constructor() {
    this.#clear("");
  }

  /** @param captions of the text so far: what was shown before stays, but for the last, which may have grown. */
  show(whole: string, captions: readonly SpeechPiece[]): void {
    if (whole !== this.#text || captions.length < this.#shown.length) this.#clear(whole);
    const last = this.#shown.pop();
    if (last !== undefined) {
      last.element.remove();
      this.#at = last.from;
      this.#marks.length = last.firstMark;
      if (this.#now?.element.isConnected === false) this.#now = undefined;
    }
    for (const caption of captions.slice(this.#shown.length)) this.#add(caption);
    const end = this.#at + ahead;
    this.#rest.textContent = whole.slice(this.#at, end) + (end < whole.length ? "…" : "");
    this.#paragraph(Math.max(0, this.#shown.length - 1)).append(this.#rest);
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
    const { scrollTop, clientHeight } = this.element;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight)
      this.element.scrollTop = offsetTop - clientHeight / 3;
  }

  #clear(whole: string): void {
    [this.#text, this.#at, this.#shown, this.#marks, this.#now] = [whole, 0, [], [], undefined];
    this.element.replaceChildren();
    this.element.hidden = whole === "";
  }

  #add(caption: SpeechPiece): void {
    const [from, firstMark] = [this.#at, this.#marks.length];
    const element = h("span");
    for (const { source, start } of stretchesOf(caption)) {
      const [begin, end] = [Math.max(this.#at, source[0]), source[1]];
      if (end <= begin) continue;
      const stretch = h("span", {}, this.#text.slice(begin, end));
      element.append(this.#text.slice(this.#at, begin), stretch);
      this.#marks.push({ start, element: stretch });
      this.#at = end;
    }
    this.#paragraph(this.#shown.length).append(element);
    this.#shown.push({ element, from, firstMark });
  }

  /** The paragraph of a caption, by its number. */
  #paragraph(caption: number): Element {
    const index = Math.floor(caption / inParagraph);
    if (index === this.element.children.length) this.element.append(h("p"));
    return this.element.children[index];
  }
}

/** The words of a piece, or the whole of it. */
function stretchesOf(caption: SpeechPiece): readonly Pick<SpeechPiece, "source" | "start">[] {
  return caption.words?.length ? caption.words : [caption];
}
