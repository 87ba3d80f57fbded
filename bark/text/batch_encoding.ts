import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { EncodedRow } from "./encoding.ts";
import type { BarkInputLists, BarkInputs, ProcessorArguments } from "./processor_options.ts";

type Arrays = Omit<BarkInputs, "history_prompt">;
type Lists = Omit<BarkInputLists, "history_prompt">;

/** The fields that were asked for, a list a row. */
function fieldsOf(rows: readonly EncodedRow[], options: ProcessorArguments): Record<string, unknown[]> {
  const of = <T>(pick: (token: EncodedRow[number]) => T): T[][] => rows.map((row) => row.map(pick));
  return {
    input_ids: of(({ id }) => id),
    // null: what the tokenizer's class names as inputs of its model, BERT's.
    ...(options.return_token_type_ids === true || options.return_token_type_ids === null
      ? { token_type_ids: of(({ type }) => type) }
      : {}),
    ...(options.return_attention_mask === false ? {} : { attention_mask: of(({ seen }) => seen) }),
    ...(options.return_special_tokens_mask ? { special_tokens_mask: of(({ special }) => special) } : {}),
    ...(options.return_offsets_mapping ? { offset_mapping: of(({ offset }) => [...offset]) } : {}),
    ...(options.return_length ? { length: rows.map((row) => row.length) } : {}),
  };
}

/** Plain lists; of one text those of its row, but `length` stays a list, as in transformers. */
export function listsOf(rows: readonly EncodedRow[], isBatch: boolean, options: ProcessorArguments): Lists {
  const fields = Object.entries(fieldsOf(rows, options));
  const shown = fields.map(([name, value]) => [name, isBatch || name === "length" ? value : value[0]]);
  return Object.fromEntries(shown) as Lists;
}

/** @throws EngineError `usage` for rows of several lengths. */
export function arraysOf(rows: readonly EncodedRow[], limit: number, options: ProcessorArguments): Arrays {
  const width = Math.max(...rows.map((row) => row.length));
  const uneven = rows.find((row) => row.length !== width);
  if (uneven !== undefined)
    throw new EngineError("usage", "texts of a batch come out in different lengths", {
      where: "text",
      expected: `at most ${limit} ids each (max_length)`,
      actual: `${uneven.length} and ${width}`,
      fix: "give truncation: true, or split the long text",
    });
  const arrays = Object.entries(fieldsOf(rows, options)).map(([name, value]) => {
    const shape = name === "length" ? [rows.length] : [rows.length, width, ...(name === "offset_mapping" ? [2] : [])];
    return [name, new NdArray(Int32Array.from(value.flat(2) as number[]), shape)];
  });
  return Object.fromEntries(arrays) as Arrays;
}
