import { expect } from "chai";
import { MappedText } from "../../../speech/markup/source_map.ts";
import { loadRewriter } from "../../../speech/normalize/load.ts";

const characters = 500_000;

describe("a long run of digits in a text that is normalized", () => {
  // A rule that tries every digit and reads to the end from each takes many minutes, and the runner's limit is two.
  for (const [language, unit] of [
    ...["en", "de", "hi", "ja", "ko", "zh"].map((name) => [name, "1"] as const),
    ["es", "111."],
  ] as const)
    it(`is read in one go, ${language}`, async () => {
      const rewrite = (await loadRewriter({ normalize: "basic" }, language))!;
      const text = `${unit.repeat(characters / unit.length)}!`;
      expect(rewrite(MappedText.of(text)).text.text).not.equal("");
    });
});
