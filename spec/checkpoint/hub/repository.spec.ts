import { expect } from "chai";
import { fileUrl, innerPath, isCommitHash, parseRepository } from "../../../checkpoint/hub/repository.ts";
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

  it("may have their revision told twice, and end like a file of git's", () => {
    expect(parseRepository("a/b@x", { revision: "x" })).include({ id: "a/b", revision: "x" });
    expect(parseRepository("a/b.github")).include({ id: "a/b.github" });
  });

  it("lie at an address whose user and password become a header", () => {
    const at = (endpoint: string) => parseRepository("a/b", { endpoint });
    expect(at("http://user:password@hub.example/x//")).deep.equal({
      ...{
        id: "a/b",
        revision: "main",
        endpoint: "http://hub.example/x",
        authorization: `Basic ${btoa("user:password")}`,
      },
    });
    expect(at("https://hub.example/http://user@x")).deep.equal({
      ...{ id: "a/b", revision: "main", endpoint: "https://hub.example/http://user@x" },
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
    const two = await engineErrorOf(() => parseRepository("a/b@x", { revision: "y" }));
    expect([two.code, two.where, two.actual]).deep.equal(["usage", "a/b@x", "x and y"]);
    for (const revision of ["../../x", "a/../b", "a/./b", "/etc", "a b", "a\\b", "a//b", "a:b", ""]) {
      const { code, where, actual } = await engineErrorOf(() => parseRepository("a/b", { revision }));
      expect([code, where, actual]).deep.equal(["usage", "revision", revision]);
    }
    for (const [endpoint, shown] of [
      ["huggingface.co", "huggingface.co"],
      ["user:password@hub.example", "***@hub.example"],
      ["us\ner@a@hub", "***@hub"],
      ["xhttp://hub", "xhttp://hub"],
      ["httpsx://hub", "httpsx://hub"],
    ]) {
      const error = await engineErrorOf(() => parseRepository("a/b", { endpoint }));
      expect([error.code, error.where, error.actual]).deep.equal(["usage", "HF_ENDPOINT", shown]);
    }
  });

  it("are at a commit where its full hash is their revision", () => {
    const hash = "0123456789abcdef".repeat(3).slice(0, 40);
    expect(isCommitHash(hash)).equal(true);
    for (const other of [hash.slice(1), `${hash}0`, `0${hash}`, `x${hash.slice(1)}`, "main", "A".repeat(40)])
      expect(isCommitHash(other), other).equal(false);
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
      expect(await engineErrorOf(() => innerPath("a/b", path))).include({
        code: "bad-input",
        where: "a/b",
        actual: path,
      });
  });
});
