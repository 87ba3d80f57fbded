import type { OnNotice } from "../../engine/notice.ts";
import { arraysOf, listsOf } from "./batch_encoding.ts";
import { encodeRow } from "./encoding.ts";
import type { BarkInputLists, BarkInputs, ProcessorArguments } from "./processor_options.ts";
import { tellOfTexts } from "./text_notices.ts";
import { readTexts } from "./text_rows.ts";
import type { BarkTokenizer } from "./tokenizer.ts";

/**
 * Texts as the inputs of a model, with one notice for what of them will not be heard.
 * @param slots of the model's text: longer text is cut there. @throws EngineError `usage`.
 */
export function encodeTexts(
  tokenizer: BarkTokenizer,
  text: unknown,
  options: ProcessorArguments,
  slots: number,
  notice: OnNotice,
): { inputs: BarkInputs | BarkInputLists; rows: number } {
  const { max_length = 256, truncation = "do_not_truncate", add_special_tokens = false } = options;
  const { rows, isBatch } = readTexts(text, options.text_pair, options.is_split_into_words === true);
  const how = { max_length, truncation, add_special_tokens, hasOffsets: options.return_offsets_mapping === true };
  const encoded = rows.map((row) => encodeRow(tokenizer, row, how));
  const inputs =
    options.return_tensors === null ? listsOf(encoded, isBatch, options) : arraysOf(encoded, max_length, options);
  const texts = rows.map(({ words, pair = [] }) => [...words, ...pair].join(" "));
  const special = add_special_tokens ? 1 : 0;
  const cut = truncation === "do_not_truncate" ? Infinity : Math.max(0, max_length - 2 * special);
  const ids = texts.map((each) => tokenizer.encode(each));
  tellOfTexts(tokenizer, texts, ids, Math.min(slots - special, cut), notice);
  return { inputs, rows: rows.length };
}
