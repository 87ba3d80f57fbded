import { BarkWorker, type BarkWorkerOptions } from "../../speech/worker/bark_worker.ts";
import { workerOptions } from "./worker.ts";

/** What hears of loading. */
export type LoadListeners = Pick<BarkWorkerOptions, "progress_callback" | "on_progress" | "onNotice">;

/** A model that several elements of a page use, in one worker. */
export class SharedModel {
  static readonly #models = new Map<string, SharedModel>();

  readonly bark: Promise<BarkWorker>;
  readonly #source: string;
  readonly #listeners = new Set<LoadListeners>();

  /** The model of a source, which is loaded once. @param listeners hear of loading, until {@link release}. */
  static use(source: string, listeners: LoadListeners): SharedModel {
    const model = SharedModel.#models.get(source) ?? new SharedModel(source);
    SharedModel.#models.set(source, model);
    model.#listeners.add(listeners);
    return model;
  }

  private constructor(source: string) {
    this.#source = source;
    this.bark = BarkWorker.from_pretrained(source, {
      ...workerOptions,
      progress_callback: (info) => this.#listeners.forEach((each) => each.progress_callback?.(info)),
      on_progress: (progress) => this.#listeners.forEach((each) => each.on_progress?.(progress)),
      onNotice: (line) => this.#listeners.forEach((each) => each.onNotice?.(line)),
    });
    // What failed is tried again.
    this.bark.catch(() => this.#forget());
  }

  /** The last listener that leaves ends the worker. */
  release(listeners: LoadListeners): void {
    this.#listeners.delete(listeners);
    if (this.#listeners.size > 0) return;
    this.#forget();
    this.bark.then(
      (bark) => bark.dispose(),
      () => undefined,
    );
  }

  #forget(): void {
    if (SharedModel.#models.get(this.#source) === this) SharedModel.#models.delete(this.#source);
  }
}
