import { JsonFields, type JsonObject } from "../../engine/check/json_fields.ts";
import { PreTrainedConfig } from "../../engine/check/pretrained_config.ts";
import { saveConfig } from "./save_config.ts";

// transformers takes these names for the same fields, and where both are given the alias wins.
const aliases = {
  block_size: "window_size",
  input_vocab_size: "vocab_size",
  num_layers: "num_hidden_layers",
  num_heads: "num_attention_heads",
} as const;

type Field = "block_size" | "input_vocab_size" | "output_vocab_size" | "num_layers" | "num_heads" | "hidden_size";

/** What the three GPTs of Bark have in common; fields and defaults of transformers' `BarkSubModelConfig`. */
export class BarkSubModelConfig extends PreTrainedConfig {
  /** Most positions. */
  readonly block_size: number;
  /** Rows of the token table. */
  readonly input_vocab_size: number;
  /** Rows of the head. */
  readonly output_vocab_size: number;
  readonly num_layers: number;
  readonly num_heads: number;
  /** Width; the width of a head is `hidden_size / num_heads`, of the MLP `4 * hidden_size`. */
  readonly hidden_size: number;
  /** Inactive when generating. */
  readonly dropout: number;
  /** Linear layers (and the layer norms of causal models) have a bias. The class default is true, published Barks: false. */
  readonly bias: boolean;
  readonly initializer_range: number;
  readonly use_cache: boolean;

  /** @throws EngineError `bad-input` naming `where` and the field. */
  constructor(fields: JsonObject, where: string) {
    super(fields, where);
    const json = new JsonFields(fields, where);
    const integer = (name: Field, fallback: number): number => {
      const alias = (aliases as Partial<Record<Field, string>>)[name];
      return json.integer(alias !== undefined && json.has(alias) ? alias : name, fallback, { min: 1 });
    };
    this.block_size = integer("block_size", 1024);
    this.input_vocab_size = integer("input_vocab_size", 10048);
    this.output_vocab_size = integer("output_vocab_size", 10048);
    this.num_layers = integer("num_layers", 12);
    this.num_heads = integer("num_heads", 12);
    this.hidden_size = integer("hidden_size", 768);
    this.dropout = json.kept("dropout", 0);
    this.bias = json.boolean("bias", true);
    this.initializer_range = json.kept("initializer_range", 0.02);
    this.use_cache = json.kept("use_cache", true);
    if (this.hidden_size % this.num_heads !== 0)
      json.fail("hidden_size", `a multiple of num_heads (${this.num_heads})`, "correct hidden_size or num_heads");
  }

  /** Alias of `block_size`. */
  get window_size(): number {
    return this.block_size;
  }

  /** Alias of `input_vocab_size`. */
  get vocab_size(): number {
    return this.input_vocab_size;
  }

  /** Alias of `num_layers`. */
  get num_hidden_layers(): number {
    return this.num_layers;
  }

  /** Alias of `num_heads`. */
  get num_attention_heads(): number {
    return this.num_heads;
  }

  protected override keepRest(fields: JsonObject, where: string | undefined): void {
    super.keepRest(fields, where, Object.values(aliases));
  }

  /** Writes `config.json` into a folder, which is made if it is missing. @throws EngineError `io`. */
  async save_pretrained(save_directory: string, options: object = {}): Promise<void> {
    await saveConfig(this, save_directory, options);
  }
}
