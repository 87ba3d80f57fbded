import { ApiError } from "./errors.ts";

export interface ListedModel {
  readonly id: string;
  readonly object: "model";
  /** Seconds since 1970. */
  readonly created: number;
  readonly owned_by: string;
}

/** The names of the one model that is loaded. */
export class Models {
  readonly #names: readonly string[];
  readonly #created = Math.floor(Date.now() / 1000);

  /** @param aliases other names. */
  constructor(name: string, aliases: readonly string[]) {
    this.#names = [...new Set([name, ...aliases])];
  }

  get list(): ListedModel[] {
    return this.#names.map((id) => this.#model(id));
  }

  /** @throws ApiError 404 as OpenAI's. */
  require(id: string): ListedModel {
    if (this.#names.includes(id)) return this.#model(id);
    throw new ApiError(404, `The model '${id.slice(0, 60)}' does not exist; GET /v1/models lists those that do.`, {
      param: "model",
      code: "model_not_found",
    });
  }

  #model(id: string): ListedModel {
    return { id, object: "model", created: this.#created, owned_by: "bark-webgpu" };
  }
}
