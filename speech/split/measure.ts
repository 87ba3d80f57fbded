/** Scripts that write a word, or a syllable of two or three sounds, in one character. */
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
/** 60 characters of these take as long to say as 200 letters. */
const denseWeight = 200 / 60;

/** How much there is to say, in letters of an alphabet: 15 of them are about a second. */
export function lettersOf(text: string): number {
  const characters = [...text].length;
  const wide = text.match(dense)?.length ?? 0;
  return characters + wide * (denseWeight - 1);
}
