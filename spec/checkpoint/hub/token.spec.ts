import { expect } from "chai";
import { cleanToken } from "../../../checkpoint/hub/token.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("cleanToken", () => {
  it("takes a token without line breaks and blanks around it, and nothing for none", () => {
    for (const [token, expected] of [
      ["hf_abc", "hf_abc"],
      [" \thf_abc\r\n", "hf_abc"],
      ["hf_\nabc\r\n\n", "hf_abc"],
      ["~!", "~!"],
      ["", undefined],
      [" \n", undefined],
      [undefined, undefined],
      [null, undefined],
    ] as const)
      expect(cleanToken(token, "HF_TOKEN"), JSON.stringify(token)).equal(expected);
  });

  for (const [token, actual] of [
    ["hf abc", "a text with other characters in it"],
    ["éhf", "a text with other characters in it"],
    ["hfé", "a text with other characters in it"],
    ["\u007fhf", "a text with other characters in it"],
    [5, "a number"],
    [true, "a boolean"],
  ] as const)
    it(`refuses ${JSON.stringify(token)} without showing it`, async () => {
      const error = await engineErrorOf(() => cleanToken(token, "HF_TOKEN"));
      expect([error.code, error.where, error.actual]).deep.equal(["usage", "HF_TOKEN", actual]);
      expect(error.fix).match(/^copy the token again/);
      expect(error.message).not.include(`${token} `);
    });
});
