/** UTF-16 units that are looked at together. */
const window = 512;

/**
 * Where the segments of a text begin, 0 among them. V8 reads the whole text anew for every segment, so that a paragraph of a
 * megabyte would take hours: it is given a window at a time. The last segment of a window may go on behind it, and is looked
 * at again from its beginning.
 */
export function segmentStarts(text: string, segmenter: Intl.Segmenter): number[] {
  const starts: number[] = [];
  let size = window;
  for (let at = 0; at < text.length;) {
    const part = text.slice(at, at + size);
    const found = Array.from(segmenter.segment(part), ({ index }) => at + index);
    const isLast = at + size >= text.length;
    if (!isLast && found.length === 1) {
      size *= 2;
      continue;
    }
    starts.push(...(isLast ? found : found.slice(0, -1)));
    at = isLast ? text.length : found.at(-1)!;
    size = window;
  }
  return starts;
}
