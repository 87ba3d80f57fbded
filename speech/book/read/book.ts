import type { Script } from "../../markup/script.ts";

/** A book as it is read: its text with chapters, and what it says of itself. */
export interface BookText {
  readonly title?: string | undefined;
  readonly author?: string | undefined;
  /** Such as `de`. */
  readonly language?: string | undefined;
  readonly script: Script;
}
