/** Called with one line for the user. */
export type OnNotice = (line: string) => void;

/** Where notices go: what a library has to say must not be lost because nobody asked for it. */
export function noticeOf(onNotice: OnNotice | undefined): OnNotice {
  return onNotice ?? ((line) => console.warn(line));
}
