import { EngineError } from "../../engine/errors.ts";
import { TextSplitterStream } from "../text_splitter_stream.ts";

/** Text that is still being written. */
export type LiveText = AsyncIterable<string>;

/** What is pushed as it comes; null: a flush. @throws EngineError `usage` for what is no text. */
export async function* pushesOf(text: LiveText): AsyncGenerator<string | null, void, undefined> {
  if (text instanceof TextSplitterStream) return yield* text.pushes();
  for await (const part of text) {
    if (typeof part !== "string")
      throw new EngineError("usage", "gives something else than texts", {
        where: "text",
        expected: "strings",
        actual: typeof part,
      });
    yield part;
  }
}
