import type { BookPlan } from "./plan.ts";
import type { Stretch } from "./timeline.ts";

export interface BookChapter extends Stretch {
  readonly title: string;
  /** Of its files, without their endings: `chapters/01 Title`. */
  readonly file: string;
}

/** The chapters of a book, none if it names none; what stands before the first has the book's title. */
export function chaptersOf({
  title,
  pieces,
  chapters,
}: Pick<BookPlan, "title" | "pieces" | "chapters">): BookChapter[] {
  if (chapters.length === 0) return [];
  const marks = chapters[0].piece > 0 ? [{ title, piece: 0 }, ...chapters] : chapters;
  // One without a piece, such as the heading of a part that only holds chapters in a table of contents.
  const spoken = marks
    .map((mark, i) => ({ title: mark.title, from: mark.piece, to: marks[i + 1]?.piece ?? pieces.length }))
    .filter(({ from, to }) => to > from);
  const digits = String(spoken.length).length;
  return spoken.map((chapter, i) => ({
    ...chapter,
    file: `chapters/${String(i + 1).padStart(Math.max(2, digits), "0")} ${fileNameOf(chapter.title)}`,
  }));
}

/** The most letters of a title in a file's name: of four bytes each they still fit every file system. */
const longestName = 50;

/** A title as the name of a file on any system. */
export function fileNameOf(title: string): string {
  const plain = title.normalize("NFC").replaceAll(/[\\/:*?"<>|\p{C}\s]+/gu, " ");
  const short = [...plain.trim()].slice(0, longestName).join("");
  // Windows drops dots and spaces at the end, and a dot at the beginning hides a file.
  return short.replaceAll(/^[. ]+|[. ]+$/g, "") || "untitled";
}
