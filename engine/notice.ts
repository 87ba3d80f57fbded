/** Called with one line for the user. */
export type OnNotice = (line: string) => void;

/** Where notices go: to the console unless the caller takes them, so that none is lost. */
export function noticeOf(onNotice: OnNotice | undefined): OnNotice {
  return onNotice ?? ((line) => console.warn(line));
}
