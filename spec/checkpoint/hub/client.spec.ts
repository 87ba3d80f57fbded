import { expect } from "chai";
import { HubClient, normalize, type HubClientOptions } from "../../../checkpoint/hub/client.ts";
import type { HttpAnswer } from "../../../checkpoint/hub/request.ts";
import type { Repository } from "../../../checkpoint/hub/repository.ts";
import { refusal } from "../../../checkpoint/hub/refusal.ts";
import { TransientFault } from "../../../checkpoint/hub/retry.ts";
import { fetchFailed, FetchStub, hang, TimerStub } from "../../support/hub/fetch_stub.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const repository: Repository = { id: "a/b", revision: "main", endpoint: "https://hub.example" };
const retries = { tries: 3, firstWait: 0 };
const [first, second] = ["1".repeat(40), "2".repeat(40)];
const client = (options: HubClientOptions = {}, fields: Partial<Repository> = {}): HubClient =>
  new HubClient({ ...repository, ...fields }, { retries, ...options });
const at = (revision: string, file = "f.json"): string => `https://hub.example/a/b/resolve/${revision}/${file}`;

/** As the hub answers to HEAD; undefined leaves a header out. */
function found(headers: Record<string, string | undefined> = {}, status = 200): Response {
  const all = { "X-Repo-Commit": first, ETag: '"abc"', "Content-Length": "5", ...headers };
  const there = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new Response(null, { status, headers: there });
}
const none = { "X-Repo-Commit": undefined, ETag: undefined, "Content-Length": undefined };
const refused = (status: number, code?: string): Response =>
  found({ ...none, ...(code === undefined ? {} : { "X-Error-Code": code }) }, status);

describe("HubClient", () => {
  const stub = new FetchStub();
  const urls = (): string[] => stub.asked.map(({ method, url }) => `${method} ${url}`);

  it("finds what the hub says of a file, and pins its commit", async () => {
    stub.answers = [found()];
    const hub = client();
    expect(hub.commit).equal(undefined);
    expect(await hub.find("f.json")).deep.equal({
      ...{ path: "f.json", etag: "abc", size: 5, url: at("main"), pinnedUrl: at(first) },
    });
    expect([hub.commit, urls()]).deep.equal([first, [`HEAD ${at("main")}`]]);
    expect(stub.asked[0].signal.aborted, "nothing is left open").equal(true);
  });

  it("takes of a large file what the redirection to it says", async () => {
    const linked = { ETag: '"storage"', "Content-Length": "0", "X-Linked-Etag": 'W/"sha"', "X-Linked-Size": "1000" };
    for (const status of [300, 302, 399]) {
      stub.answers = [found(linked, status)];
      expect(await client().find("f.json")).include({ etag: "sha", size: 1000 });
    }
  });

  it("does not take the length of a redirection for the file's", async () => {
    stub.answers = [found({}, 302)];
    const error = await engineErrorOf(() => client().find("f.json"));
    expect(error.problem).match(/wrong header Content-Length$/);
  });

  for (const [header, value, actual] of [
    ["X-Repo-Commit", undefined, "none"],
    ["X-Repo-Commit", "../x", "../x"],
    ["X-Repo-Commit", `a/b`, "a/b"],
    ["ETag", undefined, "none"],
    ["ETag", '".."', ".."],
    ["ETag", `"${"a".repeat(201)}"`, "a".repeat(201)],
    ["Content-Length", undefined, "none"],
    ["Content-Length", "1".repeat(16), "1".repeat(16)],
    ["Content-Length", "x1", "x1"],
    ["Content-Length", "1x", "1x"],
  ] as const)
    it(`refuses ${header} ${value?.slice(0, 20)}`, async () => {
      stub.answers = [found({ [header]: value })];
      const error = await engineErrorOf(() => client().find("f.json"));
      expect([error.code, error.where, error.actual]).deep.equal(["io", repository.endpoint, actual]);
      expect(error.problem).equal(`does not answer as a Hugging Face hub does: wrong header ${header}`);
    });

  it("takes names of 200 letters, and sizes of 15 digits", async () => {
    stub.answers = [found({ ETag: `"${"a".repeat(200)}"`, "Content-Length": "9".repeat(15) })];
    expect(await client().find("f.json")).include({ etag: "a".repeat(200), size: 999_999_999_999_999 });
  });

  it("knows a file that is not there from a repository that is not", async () => {
    const commit = { "X-Repo-Commit": first };
    stub.answers = [refused(404, "EntryNotFound"), found({ ...none, ...commit }, 404)];
    expect([await client().find("f.json"), await client().find("f.json")]).deep.equal([undefined, undefined]);
    stub.answers = [found({ ...none, ...commit }, 404)];
    const hub = client();
    await hub.find("f.json");
    expect(hub.commit, "also of an answer without the file").equal(first);
    stub.answers = [refused(404)];
    expect(await client({}, { revision: first }).find("f.json")).equal(undefined);
    for (const [answer, says] of [
      [refused(404), /^no such repository, revision or file \(main, f\.json\)/],
      [found({ ...none, ...commit, "X-Error-Code": "RevisionNotFound" }, 404), /has no revision main/],
      [refused(400), /^HTTP status 400/],
      [refused(206), /^HTTP status 206/],
      [refused(400, "EntryNotFound"), /^HTTP status 400/],
    ] as const) {
      stub.answers = [answer];
      expect((await engineErrorOf(() => client().find("f.json"))).problem).match(says);
    }
  });

  it("keeps to its commit, and asks for it by name once the branch has moved", async () => {
    stub.answers = [found(), found({ "X-Repo-Commit": second }), found({ ETag: '"old"' })];
    const hub = client();
    await hub.find("f.json");
    expect(await hub.find("g.json")).include({ etag: "old", url: at(first, "g.json"), pinnedUrl: at(first, "g.json") });
    expect(urls().slice(1)).deep.equal([`HEAD ${at("main", "g.json")}`, `HEAD ${at(first, "g.json")}`]);
    expect(hub.commit).equal(first);
    stub.answers = [found({ "X-Repo-Commit": second }), found({ "X-Repo-Commit": second })];
    const error = await engineErrorOf(() => hub.find("g.json"));
    expect([error.code, error.where, error.expected, error.actual]).deep.equal(["io", "a/b", first, second]);
    stub.answers = [found({ "X-Repo-Commit": second }), refused(404, "EntryNotFound")];
    expect(await hub.find("g.json"), "new since then").equal(undefined);
    stub.answers = [found({ "X-Repo-Commit": undefined })];
    expect((await engineErrorOf(() => hub.find("g.json"))).problem).match(/wrong header X-Repo-Commit$/);
  });

  it("learns its commit from the revision, from a caller who knows it, or from the hub", async () => {
    expect(client({}, { revision: first }).commit).equal(first);
    expect(client({}, { revision: "1".repeat(39) }).commit).equal(undefined);
    const pinned = client();
    pinned.pin(first);
    pinned.pin(second);
    expect(pinned.commit).equal(first);
    const asking = client();
    stub.answers = [found(), found({ "X-Repo-Commit": second }), refused(404, "EntryNotFound")];
    expect([await asking.findCommit("f.json"), asking.commit]).deep.equal([first, first]);
    expect(await asking.findCommit("f.json"), "the first one").equal(first);
    const error = await engineErrorOf(() => client().findCommit("f.json"));
    expect(error.problem).match(/wrong header X-Repo-Commit$/);
    expect(urls()[0]).equal(`HEAD ${at("main")}`);
  });

  it("gives up at once where the hub cannot be reached first, and tries again where it broke off or was there", async () => {
    const offline = fetchFailed("ENOTFOUND");
    stub.answers = [offline, found()];
    expect((await engineErrorOf(() => client().find("f.json"))).problem).match(/^cannot be reached/);
    stub.answers = [fetchFailed("ECONNRESET"), found()];
    expect((await client().find("f.json"))?.size).equal(5);
    const hub = client({}, { revision: first });
    stub.answers = [offline, offline, found()];
    expect((await hub.find("f.json"))?.size).equal(5);
    stub.answers = [offline, found()];
    expect((await engineErrorOf(() => hub.find("f.json", { tries: 1, firstWait: 0 }))).code).equal("io");
    stub.answers = [offline, offline, found()];
    expect(await hub.findCommit("f.json")).equal(first);
  });

  it("gets a range, also one that is not there, and no file where there is none", async () => {
    for (const status of [200, 206, 416]) {
      stub.answers = [new Response("x", { status })];
      const answer = await client().get(at(first), "f.json", "bytes=0-0");
      expect(answer?.status).equal(status);
      const asked = stub.asked.at(-1)!;
      expect([asked.method, asked.url, asked.headers["Range"], asked.signal.aborted]).deep.equal([
        ...["GET", at(first), "bytes=0-0", false],
      ]);
    }
    stub.answers = [refused(404, "EntryNotFound"), refused(403), refused(403), refused(204)];
    expect(await client().get(at(first), "f.json", "bytes=0-0")).equal(undefined);
    const get = (options: HubClientOptions) => client(options).get(at(first), "f.json", "bytes=0-0");
    expect((await engineErrorOf(() => get({}))).fix).equal("put an access token into HF_TOKEN");
    expect((await engineErrorOf(() => get({ token: "t" }))).fix).equal("check HF_TOKEN");
    expect((await engineErrorOf(() => get({}))).where).equal("https://hub.example/a/b: f.json");
    expect(stub.asked.every(({ signal }, i) => signal.aborted === i > 2)).equal(true);
  });

  it("says of a refusal what to do with a token, and without one", async () => {
    for (const [token, fix] of [
      [undefined, "put an access token into HF_TOKEN"],
      ["t", "check HF_TOKEN"],
    ] as const) {
      stub.answers = [refused(403)];
      expect((await engineErrorOf(() => client({ token }).find("f.json"))).fix).equal(fix);
    }
  });

  it("sends the token, but what the address says before it", async () => {
    for (const [options, fields, expected] of [
      [{}, {}, undefined],
      [{ token: "t" }, {}, "Bearer t"],
      [{ token: false }, {}, undefined],
      [{ token: "" }, {}, undefined],
      [{ token: "t" }, { authorization: "Basic x" }, "Basic x"],
    ] as const) {
      stub.answers = [found()];
      await client(options, fields).find("f.json");
      expect(stub.asked.at(-1)?.headers["Authorization"]).equal(expected);
    }
  });

  it("hands on what the network is to know", async () => {
    stub.answers = [found(), fetchFailed("ENOTFOUND")];
    await client({ isPage: true }).find("f.json");
    expect(stub.asked[0].redirect).equal("follow");
    const adviseOffline = (): string => "plug it in";
    expect((await engineErrorOf(() => client({ adviseOffline }).find("f.json"))).fix).equal("plug it in");
    const stopped = { signal: AbortSignal.abort() };
    expect((await engineErrorOf(() => client(stopped).find("f.json"))).code).equal("aborted");
    expect((await engineErrorOf(() => client(stopped).get(at(first), "f.json", "bytes=0-"))).code).equal("aborted");
  });

  describe("with patience", () => {
    const clock = new TimerStub();

    it("waits as long as its retries say, and otherwise as usual", async () => {
      for (const [options, patience] of [
        [{ retries: { tries: 1, firstWait: 0, patience: 7 } }, 7],
        [{ retries: undefined }, 30_000],
      ] as const) {
        const stop = new AbortController();
        stub.answers = [hang];
        const error = engineErrorOf(() => client({ ...options, signal: stop.signal }).find("f.json"));
        expect(clock.waiting).deep.equal([patience]);
        stop.abort();
        expect((await error).code).equal("aborted");
      }
    });
  });
});

describe("normalize", () => {
  it("takes an etag out of its quotes", () => {
    for (const [etag, expected] of [
      ['"abc"', "abc"],
      ['W/"abc"', "abc"],
      ["abc", "abc"],
      ['"abc', '"abc'],
      ['abc"', 'abc"'],
      ['a"b"', 'a"b"'],
      ['"a"b', '"a"b'],
      ['aW/"b"', 'aW/"b"'],
      [undefined, undefined],
    ])
      expect(normalize(etag)).equal(expected);
  });
});

describe("a refusal of the hub", () => {
  const answer = (status: number, code?: string): HttpAnswer =>
    ({ status, retryAfter: 7, last: (name: string) => (name === "x-error-code" ? code : undefined) }) as HttpAnswer;

  const path = "check the name (of a folder give the path: ./a/b)";
  const nameAlone = `${path}; a private one needs an access token in HF_TOKEN`;
  const nameAndToken = "check the name and HF_TOKEN (of a folder give the path: ./a/b)";
  const terms = "accept its terms at https://hub.example/a/b";
  const absent = "there is no such repository, or it is private";
  for (const [status, code, hasToken, problem, fix] of [
    [401, "GatedRepo", false, "the repository is gated", `${terms}, and put an access token into HF_TOKEN`],
    [403, "GatedRepo", true, "the repository is gated, and your token does not open it", terms],
    [404, "RevisionNotFound", false, "the repository has no revision main", "give a branch, a tag or a commit of it"],
    [404, "RepoNotFound", false, absent, nameAlone],
    [401, undefined, false, absent, nameAlone],
    [401, undefined, true, "there is no such repository, or your token does not open it", nameAndToken],
    [403, undefined, false, "access to the repository is forbidden", "put an access token into HF_TOKEN"],
    [403, undefined, true, "access to the repository is forbidden", "check HF_TOKEN"],
    [404, undefined, true, "no such repository, revision or file (main, f)", "check the name"],
  ] as const)
    it(`of status ${status} ${code ?? ""}${hasToken ? " with a token" : ""} says what to do`, () => {
      expect(refusal(answer(status, code), repository, "f", hasToken)).deep.include({
        ...{ code: "bad-input", where: "a/b", problem, fix },
        actual: `HTTP status ${status} from https://hub.example`,
      });
    });

  it("says first what else the name could have meant", () => {
    const error = refusal(answer(401), { ...repository, aside: "there is no folder a/b" }, "f", false);
    expect(error).include({ problem: `there is no folder a/b, and on the hub ${absent}` });
  });

  it("of another status tells that", () => {
    expect(refusal(answer(418), repository, "f", false)).include({
      ...{ code: "io", problem: "HTTP status 418", where: "https://hub.example/a/b: f" },
    });
  });

  for (const [status, problem, fix] of [
    [408, "the hub is out of order", "try again later"],
    [429, "the hub gets too many requests from here", "try again later, or put an access token into HF_TOKEN"],
    [500, "the hub is out of order", "try again later"],
    [503, "the hub is out of order", "try again later"],
  ] as const)
    it(`of status ${status} may pass`, () => {
      const fault = refusal(answer(status, "GatedRepo"), repository, "f", false);
      expect(fault).instanceOf(TransientFault).include({ wait: 7, isOffline: false });
      const actual = `HTTP status ${status}`;
      expect((fault as TransientFault).error).include({ code: "io", where: "a/b", problem, fix, actual });
    });
});
