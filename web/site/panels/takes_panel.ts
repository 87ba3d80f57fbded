import { button, card, clock, download, h } from "../dom.ts";
import { downloadNames, fileOf, type DownloadName, type Take } from "../take.ts";
import { text } from "../text.ts";

export interface TakesListener {
  play(take: Take): void;
  /** Its text and settings are wanted in the page. */
  restore(take: Take): void;
  saveVoice(take: Take): void;
  notice(line: string): void;
  failed(error: unknown): void;
}

/** Characters of a take's text that are shown: two lines of them. */
const quoted = 400;

/** All that was spoken since the page was opened, side by side. */
export class TakesPanel {
  readonly element: HTMLElement;
  readonly #listener: TakesListener;
  readonly #list = h("ol", { class: "takes", reversed: true });
  readonly #none = h("p", { class: "help" }, text.takesNone);
  readonly #only = h("input", { type: "checkbox", id: "only-favourites" });
  readonly #filter: HTMLElement;
  readonly #rows = new Map<Take, HTMLElement>();
  #count = 0;

  constructor(listener: TakesListener) {
    this.#listener = listener;
    this.#only.addEventListener("change", () => this.#show());
    this.#filter = h("div", { class: "check" }, this.#only, h("label", { for: this.#only.id }, text.onlyFavourites));
    this.element = card(text.takes, this.#none, this.#filter, this.#list);
    this.#show();
  }

  get next(): number {
    return this.#count + 1;
  }

  add(take: Take): void {
    this.#count = take.number;
    const row = this.#row(take);
    this.#rows.set(take, row);
    this.#list.prepend(row);
    this.#show();
  }

  /** Marks the take that is heard. */
  mark(current: Take | undefined): void {
    for (const [take, row] of this.#rows) row.toggleAttribute("data-current", take === current);
  }

  #row(take: Take): HTMLElement {
    const { number, voice, seed, seconds, isWhole } = take;
    const title = `${text.take(number)}${isWhole ? "" : ` (${text.partial})`}`;
    const favourite = button(
      "★",
      () => {
        favourite.setAttribute("aria-pressed", String(favourite.getAttribute("aria-pressed") !== "true"));
        this.#show();
      },
      { class: "star", "aria-label": `${text.favourite}: ${title}`, "aria-pressed": "false", title: text.favourite },
    );
    const facts = text.takeFacts(voice === "" ? text.noVoice : voice, seed, clock(seconds));
    const named = (label: string) => ({ "aria-label": `${label}: ${title}` });
    return h(
      "li",
      { "data-take": number },
      h("div", { class: "row" }, h("h3", { class: "grow" }, title), favourite),
      h("p", { class: "quote" }, take.text.slice(0, quoted)),
      h("p", { class: "help" }, `${take.model} · ${facts}`),
      h(
        "div",
        { class: "row" },
        button(text.play, () => this.#listener.play(take), named(text.play)),
        button(text.again, () => this.#listener.restore(take), named(text.again)),
        ...(take.npz === undefined
          ? []
          : [button(text.saveVoice, () => this.#listener.saveVoice(take), named(text.saveVoice))]),
        button(text.deleteTake, () => this.#remove(take), named(text.deleteTake)),
      ),
      this.#downloads(take, title),
    );
  }

  #downloads(take: Take, title: string): HTMLElement {
    const names = downloadNames.filter((name) => name !== "npz" || take.npz !== undefined);
    const buttons = names.map((name) =>
      button(name.toUpperCase(), () => void this.#download(take, name), {
        "aria-label": `${text.downloads} ${name.toUpperCase()}: ${title}`,
      }),
    );
    return h(
      "details",
      { class: "downloads" },
      h("summary", {}, text.downloads),
      h("div", { class: "row" }, ...buttons),
    );
  }

  async #download(take: Take, name: DownloadName): Promise<void> {
    try {
      if (name === "mp3" || name === "opus") this.#listener.notice(text.encoding(name));
      download(`bark-${take.number}.${name}`, await fileOf(take, name));
    } catch (error) {
      this.#listener.failed(error);
    }
  }

  #remove(take: Take): void {
    this.#rows.get(take)?.remove();
    this.#rows.delete(take);
    this.#show();
  }

  #show(): void {
    this.#none.hidden = this.#rows.size > 0;
    this.#filter.hidden = this.#rows.size < 2;
    const onlyFavourites = this.#only.checked && !this.#filter.hidden;
    for (const row of this.#rows.values())
      row.hidden = onlyFavourites && row.querySelector(".star")?.getAttribute("aria-pressed") !== "true";
  }
}
