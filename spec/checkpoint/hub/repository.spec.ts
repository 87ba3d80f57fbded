import { expect } from "chai";
import { fileUrl, innerPath, parseRepository } from "../../../checkpoint/hub/repository.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("names of repositories", () => {
  it("are owner/name, with a revision behind @ or beside it", () => {
    const endpoint = "https://huggingface.co";
    expect(parseRepository("suno/bark-small")).deep.equal({ id: "suno/bark-small", revision: "main", endpoint });
    expect(parseRepository("a/b@refs/pr/3")).deep.equal({ id: "a/b", revision: "refs/pr/3", endpoint });
    const options = { revision: "v1.0", endpoint: "http://localhost:80/hub/" };
    expect(parseRepository("a/b.c_d-e", options)).deep.equal({
      id: "a/b.c_d-e",
      revision: "v1.0",
      endpoint: "http://localhost:80/hub",
    });
  });

  it("may be given as the address of their page", () => {
    const options = { endpoint: "http://localhost:80/hub/" };
    for (const text of ["http://localhost:80/hub/a/b", "http://localhost:80/hub/a/b/"])
      expect(parseRepository(text, options)).include({ id: "a/b", revision: "main" });
    const atRevision = parseRepository("https://huggingface.co/a/b/tree/refs/pr/3");
    expect(atRevision).include({ id: "a/b", revision: "refs/pr/3" });
    const others = [
      "https://huggingface.co/a",
      "https://huggingface.co/a/b/c",
      "https://example.org/a/b",
      "a/b/tree/x",
    ];
    for (const text of others) expect(parseRepository(text), text).equal(undefined);
  });

  for (const text of [
    "bark",
    "a/b/c",
    "./a",
    "../a",
    "/a/b",
    "a/",
    "/b",
    "a\\b",
    "a/..",
    "a/b..c",
    "~/b",
    "a b/c",
    "a/b.git",
    "",
  ])
    it(`are not ${JSON.stringify(text)}`, () => expect(parseRepository(text)).equal(undefined));

  it("refuse two revisions, a revision that is a way out of the cache, and an endpoint that is not an address", async () => {
    expect((await engineErrorOf(() => parseRepository("a/b@x", { revision: "y" }))).toLine()).match(/x and y/);
    for (const revision of ["../../x", "a/../b", "/etc", "a b", "a\\b", "a//b", "a:b", ""])
      expect((await engineErrorOf(() => parseRepository("a/b", { revision }))).code, revision).equal("usage");
    const error = await engineErrorOf(() => parseRepository("a/b", { endpoint: "huggingface.co" }));
    expect(error.toLine()).match(/^HF_ENDPOINT: .*got huggingface\.co/);
  });

  it("become addresses in which nothing has a meaning of its own", () => {
    const repository = parseRepository("a/b", { endpoint: "http://hub" })!;
    expect(fileUrl(repository, "refs/pr/1", "voices/é ?#%.npy")).equal(
      "http://hub/a/b/resolve/refs%2Fpr%2F1/voices/%C3%A9%20%3F%23%25.npy",
    );
  });

  it("have files below them alone", async () => {
    expect(innerPath("a/b", "./voices//x.npy")).equal("voices/x.npy");
    for (const path of ["../x", "a/../../x", "/etc/passwd", "a\\..\\x", "a\0", ""])
      expect((await engineErrorOf(() => innerPath("a/b", path))).code, path).equal("bad-input");
  });
});
