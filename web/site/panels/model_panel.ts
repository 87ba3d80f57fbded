import { BarkWorker, type BarkWorkerOptions } from "../../../speech/worker/bark_worker.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { BarkProgress } from "../../../bark/generate/output.ts";
import type { ProgressInfo } from "../../../bark/load/load_options.ts";
import { workerOptions } from "../../element/worker.ts";
import { button, card, h, labelled, megabytes, options } from "../dom.ts";
import { ServerSpeaker, type PageSpeaker } from "../server_speaker.ts";
import { text } from "../text.ts";
import { pathOf } from "../files.ts";
import { registerServiceWorker } from "../offline.ts";

export interface ModelListener {
  /** A person chose another one. */
  changed(): void;
  /** It is being loaded. */
  begun(): void;
  loaded(bark: PageSpeaker): void;
  /** One line for the person. */
  notice(line: string): void;
  failed(error: unknown): void;
}

const known = [
  ["nano", text.nano],
  ["suno/bark-small", text.small],
  ["suno/bark", text.large],
  ["other", text.otherModel],
  ["local", text.localModel],
  ["server", text.serverModel],
] as const;

type Dtype = NonNullable<BarkWorkerOptions["dtype"]>;

/** Chooses a model and loads it into a worker, once. */
export class ModelPanel {
  readonly element: HTMLElement;
  readonly #listener: ModelListener;
  readonly #select = h("select", { name: "model" }, ...options(known));
  readonly #id = h("input", {
    name: "repository",
    placeholder: "owner/name",
    spellcheck: "false",
    autocomplete: "off",
  });
  readonly #address = h("input", {
    ...{ name: "server", type: "url", value: "http://127.0.0.1:8880", spellcheck: "false", autocomplete: "off" },
  });
  readonly #key = h("input", { name: "key", type: "password", autocomplete: "off" });
  readonly #dtype = h("select", { name: "dtype" });
  readonly #format: HTMLElement;
  readonly #repository: HTMLElement;
  readonly #server: HTMLElement;
  readonly #local: HTMLElement;
  readonly #chosen = h("p", { class: "help" });
  readonly #status = h("p", { class: "help" }, text.notLoaded);
  readonly #bar = h("progress", { "aria-label": text.loadingShort, hidden: true });
  readonly #load = button(text.load, () => void this.#press());
  #files: Readonly<Record<string, Blob>> = {};
  #folder = "";
  #bark: Promise<PageSpeaker> | undefined;
  #stop: AbortController | undefined;
  #isLoaded = false;
  #bytes = "";

  constructor(listener: ModelListener) {
    this.#listener = listener;
    this.#dtype.append(...options([["", text.asStored], ...["f32", "f16", "q8"].map((name) => [name, name] as const)]));
    this.#repository = labelled(text.hubId, this.#id, text.hubIdHelp);
    this.#format = labelled(text.dtype, this.#dtype, text.dtypeHelp);
    this.#server = h(
      "div",
      { class: "fields" },
      labelled(text.server, this.#address, text.serverHelp),
      labelled(text.serverKey, this.#key, text.serverKeyHelp),
    );
    this.#local = h(
      "div",
      { class: "field" },
      h("div", { class: "row" }, this.#chooser(text.folder, true), this.#chooser(text.files, false)),
      h("p", { class: "help" }, text.folderHelp),
      this.#chosen,
    );
    this.element = card(
      text.model,
      labelled(text.model, this.#select, text.modelHelp),
      this.#repository,
      this.#local,
      this.#server,
      this.#format,
      h("div", { class: "row" }, this.#load, this.#bar),
      this.#status,
    );
    for (const control of [this.#select, this.#id, this.#address, this.#key, this.#dtype])
      control.addEventListener("change", () => this.#change());
    this.#show();
  }

  /** What is spoken with, for people and for the address. */
  get name(): string {
    const { value } = this.#select;
    const names: Readonly<Record<string, string>> = {
      ...{ other: this.#id.value.trim(), local: this.#folder, server: this.#address.value.trim() },
    };
    return names[value] ?? value;
  }

  /** Whether a server computes, so that nothing of this browser stands in the way. */
  get isServer(): boolean {
    return this.#select.value === "server";
  }

  /** As the address holds it. Files of this computer cannot be told to others. */
  get values(): Record<string, string> {
    const isDefault = ["nano", "local"].includes(this.#select.value);
    return { model: isDefault ? "" : this.name, dtype: this.#dtype.value };
  }

  set({ model = "nano", dtype = "" }: Readonly<Record<string, string>>): void {
    if (model === this.name && dtype === this.#dtype.value) return;
    const isKnown = known.some(([value]) => value === model);
    const isServer = /^https?:\/\//.test(model);
    this.#select.value = isKnown ? model : isServer ? "server" : "other";
    if (isServer) this.#address.value = model;
    else if (!isKnown) this.#id.value = model;
    this.#dtype.value = dtype;
    this.#change();
  }

  /** Takes files of this computer, by their paths in their folder. */
  useFiles(files: Readonly<Record<string, Blob>>, folder: string): void {
    [this.#files, this.#folder] = [files, folder];
    this.#select.value = "local";
    this.#chosen.textContent = text.chosen(folder, Object.keys(files).length);
    this.#change();
  }

  /** The model, which is loaded at the first call. @throws EngineError as `BarkWorker.from_pretrained`. */
  async load(): Promise<PageSpeaker> {
    this.#bark ??= this.#open();
    return await this.#bark;
  }

  async #open(): Promise<PageSpeaker> {
    const began = performance.now();
    const stop = (this.#stop = new AbortController());
    this.#bytes = "";
    this.#listener.begun();
    this.#show();
    try {
      const bark = await this.#opened(stop.signal);
      if (this.#stop !== stop) {
        bark.dispose();
        throw new EngineError("aborted", text.stopped);
      }
      this.#isLoaded = true;
      this.#status.textContent = text.ready(((performance.now() - began) / 1000).toFixed(1));
      this.#listener.loaded(bark);
      return bark;
    } catch (error) {
      // What failed is tried again.
      if (this.#stop === stop) this.#bark = undefined;
      throw error;
    } finally {
      if (this.#stop === stop) this.#stop = undefined;
      this.#show();
    }
  }

  async #opened(signal: AbortSignal): Promise<PageSpeaker> {
    if (this.isServer) return await ServerSpeaker.open(this.#address.value, this.#key.value, signal);
    // Or what is fetched at the first visit is not kept.
    if (this.#select.value === "nano") await registerServiceWorker();
    return await BarkWorker.from_pretrained(this.#source(), {
      ...(this.#dtype.value === "" ? {} : { dtype: this.#dtype.value as Dtype }),
      ...workerOptions,
      signal,
      progress_callback: (info) => this.#fetched(info),
      on_progress: (progress) => this.#read(progress),
      onNotice: (line) => this.#listener.notice(line),
    });
  }

  #source() {
    const { value } = this.#select;
    if (value === "other") return this.#id.value.trim();
    if (value !== "local") return value;
    if (Object.keys(this.#files).length === 0) throw new EngineError("usage", text.noFiles);
    return { name: this.#folder, files: this.#files };
  }

  #change(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#bark?.then(
      (bark) => bark.dispose(),
      () => undefined,
    );
    this.#bark = undefined;
    this.#isLoaded = false;
    this.#show();
    this.#listener.changed();
  }

  async #press(): Promise<void> {
    if (this.#stop !== undefined) return this.#change();
    await this.load().catch((error: unknown) => this.#listener.failed(error));
  }

  /** Bytes of a file of the hub. */
  #fetched(info: ProgressInfo): void {
    if (!("loaded" in info) || info.loaded === undefined || info.total === undefined) return;
    // Small files come and go; the weights are what a person waits for.
    if (info.total >= 1e6) this.#bytes = text.bytes(megabytes(info.loaded), megabytes(info.total));
  }

  /** Weights are fetched as they go to the GPU. */
  #read({ done, total }: BarkProgress): void {
    this.#bar.value = done / total;
    this.#status.textContent = text.loading(Math.floor((100 * done) / total), this.#bytes);
    this.#bar.setAttribute("aria-valuetext", this.#status.textContent);
  }

  #show(): void {
    const isLoading = this.#stop !== undefined;
    this.#repository.hidden = this.#select.value !== "other";
    this.#local.hidden = this.#select.value !== "local";
    this.#server.hidden = !this.isServer;
    this.#format.hidden = this.isServer;
    this.#load.textContent = isLoading ? text.cancel : text.load;
    this.#load.hidden = this.#isLoaded;
    this.#bar.hidden = !isLoading;
    if (isLoading) this.#status.textContent = text.loadingShort;
    else this.#bar.removeAttribute("value");
    if (!isLoading && !this.#isLoaded) this.#status.textContent = text.notLoaded;
  }

  /** A button that opens the browser's own dialogue. */
  #chooser(label: string, isFolder: boolean): HTMLElement {
    const input = h("input", { type: "file", multiple: true, webkitdirectory: isFolder, hidden: true });
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      if (files.length === 0) return;
      this.useFiles(
        Object.fromEntries(files.map((file) => [pathOf(file.webkitRelativePath || file.name, isFolder), file])),
        files[0].webkitRelativePath.split("/")[0] || text.chosenFiles,
      );
    });
    return h(
      "span",
      {},
      button(label, () => input.click()),
      input,
    );
  }
}
