/** How a BERT tokenizer changes text before it splits it: the fields of its normalizer. */
export interface BertNormalizer {
  readonly cleanText: boolean;
  readonly ideographs: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** What the offsets of ids follow from. */
export interface OffsetRules {
  readonly normalizer: BertNormalizer;
  /** Tokens that are found in the text before anything else, such as `[MASK]`. */
  readonly added: readonly string[];
  readonly unk_token_id: number | undefined;
  readonly prefix: string;
  tokenOf(id: number): string;
}

/** [start, end) of a token within its text, in code points: Python's characters. */
export type Offset = readonly [start: number, end: number];

/** A character as the tokenizer sees it, and the place of the code point that it comes from. */
interface Character {
  readonly text: string;
  readonly at: number;
}
/** Characters that become one id or several; an added token is one. */
interface Word {
  readonly characters: readonly Character[];
  readonly isAdded: boolean;
}

const space = /^[\s\x85]$/u;
const control = /^[\p{Cc}\p{Cf}\p{Co}\p{Cs}\0\ufffd]$/u;
const mark = /\p{Mn}/gu;
const punctuation = /^[\p{P}$+<=>^`|~]$/u;
/** The blocks of BERT, which are not all of Unicode's. */
const ideograph =
  /^[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]$/u;

/**
 * Where the ids of a text come from. The package gives ids alone; a piece is as long as its characters, and an unknown one
 * is a whole word.
 */
export function offsetsOf(text: string, ids: readonly number[], rules: OffsetRules): Offset[] {
  const offsets: Offset[] = [];
  for (const { characters, isAdded } of wordsOf(text, rules)) {
    for (let done = 0; done < characters.length && offsets.length < ids.length;) {
      const id = ids[offsets.length];
      const isWhole = isAdded || id === rules.unk_token_id;
      const token = rules.tokenOf(id);
      const piece = done > 0 && token.startsWith(rules.prefix) ? token.slice(rules.prefix.length) : token;
      const end = isWhole ? characters.length : Math.min(characters.length, done + Math.max(1, [...piece].length));
      offsets.push([characters[done].at, characters[end - 1].at + 1]);
      done = end;
    }
  }
  return offsets;
}

function wordsOf(text: string, { added, normalizer }: OffsetRules): Word[] {
  const words: Word[] = [];
  let at = 0;
  for (const part of splitAt(text, added)) {
    const points = [...part].map((point, i) => ({ text: point, at: at + i }));
    at += points.length;
    if (added.includes(part)) words.push({ characters: points, isAdded: true });
    else words.push(...splitWords(points, normalizer).map((characters) => ({ characters, isAdded: false })));
  }
  return words;
}

/** The text in parts, the added tokens among them; the longest wins where two begin at one place. */
function splitAt(text: string, added: readonly string[]): string[] {
  if (added.length === 0) return [text];
  const escaped = [...added].sort((a, b) => b.length - a.length).map((t) => t.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${escaped.join("|")})`, "u")).filter((part) => part !== "");
}

function splitWords(points: readonly Character[], normalizer: BertNormalizer): Character[][] {
  const words: Character[][] = [];
  let word: Character[] = [];
  const end = (): void => {
    if (word.length > 0) words.push(word);
    word = [];
  };
  for (const character of points.flatMap((point) => normalized(point, normalizer))) {
    const { text } = character;
    if (space.test(text)) end();
    else if (punctuation.test(text) || (normalizer.ideographs && ideograph.test(text))) {
      end();
      words.push([character]);
    } else word.push(character);
  }
  end();
  return words;
}

/** The characters that stand for one, in the order of BERT's steps. */
function normalized({ text, at }: Character, rules: BertNormalizer): Character[] {
  if (rules.cleanText && control.test(text) && !/[\t\n\r]/.test(text)) return [];
  const stripped = rules.stripAccents ? text.normalize("NFD").replace(mark, "") : text;
  const lowered = rules.lowercase ? stripped.toLowerCase() : stripped;
  return [...lowered].map((character) => ({ text: character, at }));
}
