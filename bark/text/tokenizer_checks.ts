import { EngineError } from "../../engine/errors.ts";
import { isObject, type JsonObject } from "../../engine/check/json_fields.ts";

// The package accepts anything: a vocabulary of another type gives meaningless ids, which would be spoken.

type Test = (value: unknown) => boolean;

const isString: Test = (value) => typeof value === "string";
const isText: Test = (value) => typeof value === "string" && value !== "";
const isBoolean: Test = (value) => typeof value === "boolean";
const isAbsent: Test = (value) => value === undefined || value === null;
/** Ids are 32 bits wide; no model comes near this. */
const isId: Test = (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
const isPiece: Test = (value) =>
  Array.isArray(value) && value.length === 2 && isString(value[0]) && Number.isFinite(value[1]);
const isMerge: Test = (value) =>
  isString(value) || (Array.isArray(value) && value.length === 2 && value.every(isString));
const or =
  (...tests: Test[]): Test =>
  (value) =>
    tests.some((test) => test(value));

interface Fields {
  readonly [name: string]: readonly [test: Test, expected: string];
}

const modelTypes: Readonly<Record<string, Fields>> = {
  WordPiece: {
    unk_token: [isText, "a string"],
    continuing_subword_prefix: [isString, "a string"],
    max_input_chars_per_word: [or(isAbsent, isId), "a whole number"],
  },
  BPE: { unk_token: [or(isAbsent, isString), "a string or null"] },
  Unigram: { unk_id: [or(isAbsent, isId), "an id or null"] },
};

const addedToken: Fields = {
  id: [isId, "an id"],
  content: [isText, "a string that is not empty"],
  ...Object.fromEntries(
    ["single_word", "lstrip", "rstrip", "normalized", "special"].map((flag) => [
      flag,
      [or(isAbsent, isBoolean), "true or false"],
    ]),
  ),
};

const bertNormalizer: Fields = {
  clean_text: [or(isAbsent, isBoolean), "true or false"],
  handle_chinese_chars: [or(isAbsent, isBoolean), "true or false"],
  strip_accents: [or(isAbsent, isBoolean), "true, false or null"],
  lowercase: [or(isAbsent, isBoolean), "true or false"],
};

const token: Fields[string] = [
  or(isAbsent, isText, (value) => isObject(value) && isText(value["content"])),
  "a string or an object with its content",
];
const tokenizerConfig: Fields = {
  do_lower_case: [or(isAbsent, isBoolean), "true or false"],
  tokenize_chinese_chars: [or(isAbsent, isBoolean), "true or false"],
  strip_accents: [or(isAbsent, isBoolean), "true, false or null"],
  ...Object.fromEntries(
    ["unk_token", "sep_token", "pad_token", "cls_token", "mask_token"].map((name) => [name, token]),
  ),
};

/** @param where the file. @throws EngineError `bad-input` naming it and the field. */
export function checkTokenizerConfig(config: JsonObject, where: string): void {
  checkFields(config, tokenizerConfig, where);
}

/**
 * The model's type and the largest id of a `tokenizer.json`, whose structure is that of the Rust library's files.
 * @param where the file. @throws EngineError `bad-input` naming it and the field.
 */
export function checkTokenizer(definition: JsonObject, where: string): { type: string; largestId: number } {
  const { model, added_tokens: added = [], normalizer } = definition;
  if (!isObject(model)) return fail(where, "model", "an object", model);
  const type = modelType(model, where);
  checkFields(model, modelTypes[type], `${where}: model`);
  const ids = type === "Unigram" ? checkPieces(model, where) : checkVocabulary(model, where);
  if (type === "BPE") checkList(model["merges"], isMerge, "a list of pairs of tokens", `${where}: model`, "merges");
  checkList(added, isObject, "a list of objects", where, "added_tokens");
  for (const [i, entry] of (added as JsonObject[]).entries()) {
    checkFields(entry, addedToken, `${where}: added_tokens[${i}]`);
    ids.set(entry["content"] as string, entry["id"] as number);
  }
  if (type === "WordPiece" && !ids.has(model["unk_token"] as string))
    fail(`${where}: model`, "unk_token", "a token of the vocabulary", model["unk_token"]);
  if (isObject(normalizer) && normalizer["type"] === "BertNormalizer")
    checkFields(normalizer, bertNormalizer, `${where}: normalizer`);
  let largestId = 0;
  for (const id of ids.values()) largestId = Math.max(largestId, id);
  return { type, largestId };
}

/** Files from before 2020 do not name their type: BERT's have a prefix for pieces that continue a word. */
function modelType(model: JsonObject, where: string): string {
  const isOldBert = model["type"] === undefined && isString(model["continuing_subword_prefix"]) && !("merges" in model);
  const type = isOldBert ? "WordPiece" : model["type"];
  if (isString(type) && Object.hasOwn(modelTypes, type as string)) return type as string;
  return fail(`${where}: model`, "type", Object.keys(modelTypes).join(", "), model["type"]);
}

function checkVocabulary(model: JsonObject, where: string): Map<string, number> {
  const { vocab } = model;
  if (!isObject(vocab)) return fail(`${where}: model`, "vocab", "an object of ids by token", vocab);
  const entries = Object.entries(vocab);
  if (entries.length === 0) fail(`${where}: model`, "vocab", "a token at least", vocab);
  for (const [name, id] of entries) if (!isId(id)) fail(`${where}: model.vocab`, name, "an id", id);
  return new Map(entries as [string, number][]);
}

function checkPieces(model: JsonObject, where: string): Map<string, number> {
  const { vocab } = model;
  checkList(vocab, isPiece, "a list of tokens with their scores", `${where}: model`, "vocab");
  const pieces = vocab as [string, number][];
  if (pieces.length === 0) fail(`${where}: model`, "vocab", "a token at least", vocab);
  return new Map(pieces.map(([piece], id) => [piece, id]));
}

function checkList(value: unknown, test: Test, expected: string, where: string, field: string): void {
  if (!Array.isArray(value)) return fail(where, field, expected, value);
  const wrong = value.findIndex((item) => !test(item));
  if (wrong >= 0) fail(where, `${field}[${wrong}]`, expected, value[wrong]);
}

function checkFields(object: JsonObject, fields: Fields, where: string): void {
  for (const [name, [test, expected]] of Object.entries(fields))
    if (!test(object[name])) fail(where, name, expected, object[name]);
}

function fail(where: string, field: string, expected: string, actual: unknown): never {
  throw new EngineError("bad-input", `wrong value of "${field}"`, {
    where,
    expected,
    // In quotes: "2" in place of 2 would look right.
    actual: typeof actual === "string" ? JSON.stringify(actual) : actual,
    fix: "fetch the file again, or take it from the model's page",
  });
}
