import { expect } from "chai";
import { segmentStarts } from "../../../speech/split/segments.ts";

describe("segmentStarts", () => {
  const texts = [
    "Short. Text.",
    "",
    "One sentence of some length follows another. Is it so? ".repeat(60),
    `${"a word of one sentence ".repeat(100)}. Then another. ${"x".repeat(3000)}`,
    "👩‍🚀e\u0301नी".repeat(400),
    "\ud800".repeat(1200),
  ];
  for (const granularity of ["sentence", "grapheme"] as const)
    for (const [i, text] of texts.entries())
      it(`finds what Intl.Segmenter finds: ${granularity}, text ${i}`, () => {
        const segmenter = new Intl.Segmenter("en", { granularity });
        expect(segmentStarts(text, segmenter)).deep.equal(Array.from(segmenter.segment(text), ({ index }) => index));
      });
});
