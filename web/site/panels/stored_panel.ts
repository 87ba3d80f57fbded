import { deleteStoredModel, storedModels } from "../../../checkpoint/web/stored_models.ts";
import { button, card, h, megabytes } from "../dom.ts";
import { text } from "../text.ts";

/** Models that the browser keeps, with their sizes; and whether it promises to keep them. */
export class StoredPanel {
  readonly element: HTMLElement;
  readonly #list = h("ul", { class: "rows" });
  readonly #use = h("p", { class: "help" });
  readonly #keep = button(text.keep, () => void this.#persist());

  constructor() {
    this.element = card(text.stored, this.#list, this.#use, this.#keep);
    void this.update();
  }

  async update(): Promise<void> {
    const models = await storedModels().catch(() => []);
    this.#list.replaceChildren(...models.map(({ id, bytes }) => this.#row(id, bytes)));
    if (models.length === 0) this.#list.replaceChildren(h("li", { class: "help" }, text.storedNone));
    const storage = navigator.storage as StorageManager | undefined;
    const { usage, quota } = (await storage?.estimate().catch(() => undefined)) ?? {};
    const isKept = (await storage?.persisted().catch(() => false)) === true;
    const used = quota === undefined ? "" : text.storedUse(megabytes(usage ?? 0), megabytes(quota));
    this.#use.textContent = `${used} ${isKept ? text.kept : text.notKept}`;
    this.#keep.hidden = isKept || storage === undefined;
  }

  #row(id: string, bytes: number): HTMLElement {
    const remove = async (): Promise<void> => {
      await deleteStoredModel(id);
      await this.update();
    };
    const press = button(text.remove, () => void remove(), { "aria-label": text.removeNamed(id) });
    return h("li", {}, h("span", { class: "grow" }, id), h("span", { class: "number" }, megabytes(bytes)), press);
  }

  async #persist(): Promise<void> {
    await navigator.storage.persist();
    await this.update();
  }
}
