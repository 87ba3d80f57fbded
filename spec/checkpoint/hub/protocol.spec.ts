import { expect } from "chai";
import type { ServerResponse } from "node:http";
import { contentOf, config, hubFixture, id, weights, type HubFixture } from "../../support/hub/hub_fixture.ts";
import { firstCommit, secondCommit, type Intercept } from "../../support/hub/hub_server.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("the hub's protocol", () => {
  let fixture: HubFixture;
  beforeEach(async () => {
    fixture = await hubFixture();
  });
  afterEach(async () => await fixture.close());

  /** Answers so often with `answer`, then as the hub does. */
  function firstTimes(count: number, answer: (response: ServerResponse) => void): Intercept {
    return (_, response) => {
      if (count-- <= 0) return false;
      answer(response);
      return true;
    };
  }

  it("asks for small files at the hub and goes for large ones where it is sent", async () => {
    const store = fixture.open();
    expect(await contentOf(await store.open("config.json"))).deep.equal(config);
    expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
    expect(fixture.asked()).deep.equal([
      "HEAD hub main/config.json",
      `GET hub main/config.json bytes=0-${config.length - 1}`,
      "HEAD hub main/model.safetensors",
      `GET hub main/model.safetensors bytes=0-${weights.length - 1}`,
      `GET storage weights bytes=0-${weights.length - 1}`,
    ]);
  });

  it("has no file where the hub says that it is missing", async () => {
    const store = fixture.open();
    expect(await store.open("tokenizer.json")).equal(undefined);
    expect(await store.open("voices/a.npy")).equal(undefined);
    expect(await store.open("tokenizer.json")).equal(undefined);
    expect(fixture.asked()).deep.equal(["HEAD hub main/tokenizer.json", "HEAD hub main/voices/a.npy"]);
  });

  it("gives the token to the hub and to no one else", async () => {
    fixture.hub.repositories.get(id)!.token = "secret";
    await contentOf(await fixture.open({ token: "secret" }).open("model.safetensors"));
    const sent = fixture.hub.asked.map(({ server, authorization }) => `${server} ${authorization}`);
    expect(sent).deep.equal(["hub Bearer secret", "hub Bearer secret", "storage undefined"]);
  });

  it("says of a gated repository what opens it", async () => {
    fixture.hub.repositories.get(id)!.token = "secret";
    const without = await engineErrorOf(() => fixture.open().open("config.json"));
    expect(without.code).equal("bad-input");
    expect(without.toLine()).match(
      /^someone\/bark: the repository is gated .*accept its terms at .*\/someone\/bark.*HF_TOKEN/,
    );
    const wrong = await engineErrorOf(() => fixture.open({ token: "wrong" }).open("config.json"));
    expect(wrong.toLine()).match(/gated, and your token does not open it .*status 403/);
    const none = await engineErrorOf(() => fixture.open({ token: false }).open("config.json"));
    expect(none.message).equal(without.message);
  });

  it("says whether repository or revision is missing", async () => {
    const repository = await engineErrorOf(() => fixture.open({}, "someone/else").open("config.json"));
    expect([repository.code, repository.where]).deep.equal(["bad-input", "someone/else"]);
    expect(repository.toLine()).match(/no such repository, or it is private .*401.*\.\/someone\/else.*HF_TOKEN/);
    const revision = await engineErrorOf(() => fixture.open({ revision: "v9" }).open("config.json"));
    expect(revision.toLine()).match(/has no revision v9/);
    fixture.hub.intercept = firstTimes(1, (response) => response.writeHead(404).end());
    const either = await engineErrorOf(() => fixture.open().open("config.json"));
    expect(either.toLine()).match(/no such repository, revision or file \(main, config\.json\)/);
  });

  it("escapes the slash of a pull request's revision", async () => {
    fixture.hub.repositories.get(id)!.refs["refs/pr/1"] = firstCommit;
    expect(await contentOf(await fixture.open({ revision: "refs/pr/1" }).open("config.json"))).deep.equal(config);
    expect(fixture.asked()[0]).equal("HEAD hub refs%2Fpr%2F1/config.json");
  });

  for (const status of [408, 429, 500, 503])
    it(`comes back after a status ${status}, but not for ever`, async () => {
      const busy = (response: ServerResponse): void => void response.writeHead(status).end("busy");
      fixture.hub.intercept = firstTimes(99, busy);
      const error = await engineErrorOf(() => fixture.open().open("config.json"));
      expect([error.code, error.actual]).deep.equal(["io", `HTTP status ${status}`]);
      expect(error.fix).match(/^try again later/);
      expect(fixture.asked().length).equal(3);
      fixture.hub.intercept = firstTimes(2, busy);
      expect(await contentOf(await fixture.open().open("config.json"))).deep.equal(config);
      expect(fixture.asked().length).equal(7);
    });

  it("comes back for every file, not for the first alone", async () => {
    const store = fixture.open();
    await contentOf(await store.open("config.json"));
    fixture.hub.intercept = firstTimes(2, (response) => response.writeHead(503).end("busy"));
    expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
  });

  it("waits as long as Retry-After says", async () => {
    fixture.hub.intercept = firstTimes(1, (response) => response.writeHead(429, { "Retry-After": "1" }).end());
    const began = performance.now();
    await contentOf(await fixture.open().open("config.json"));
    expect(performance.now() - began).above(990);
  });

  it("comes back after a connection that was reset", async () => {
    fixture.hub.intercept = firstTimes(2, (response) => response.destroy());
    expect(await contentOf(await fixture.open().open("config.json"))).deep.equal(config);
  });

  it("follows a renamed repository, relative to the hub and with the token", async () => {
    fixture.hub.intercept = (request, response) => {
      if (!request.url!.startsWith("/someone/old/")) return false;
      response.writeHead(307, { Location: request.url!.replace("/old/", "/bark/") }).end();
      return true;
    };
    fixture.hub.repositories.get(id)!.token = "secret";
    const store = fixture.open({ token: "secret" }, "someone/old");
    expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
  });

  it("ends a ring of redirections", async () => {
    fixture.hub.intercept = (request, response) => {
      response.writeHead(302, { Location: request.url }).end();
      return true;
    };
    const error = await engineErrorOf(() => fixture.open().open("config.json"));
    expect(error.toLine()).match(/more than 10 redirections/);
  });

  it("notices a server that is not a hub", async () => {
    const headers: Record<string, string>[] = [
      {},
      { "X-Repo-Commit": firstCommit },
      { "X-Repo-Commit": "../../x", ETag: '"a"' },
      { "X-Repo-Commit": "../../x", "X-Error-Code": "EntryNotFound" },
      { "X-Repo-Commit": firstCommit, ETag: '"../../x"' },
    ];
    for (const header of headers) {
      fixture.hub.intercept = firstTimes(1, (response) =>
        response.writeHead("X-Error-Code" in header ? 404 : 200, header).end(),
      );
      const error = await engineErrorOf(() => fixture.open().open("config.json"));
      expect(error.toLine()).match(/does not answer as a Hugging Face hub does: wrong header .*HF_ENDPOINT/);
    }
  });

  it("keeps to the commit that it began with while somebody pushes", async () => {
    const store = fixture.open();
    await contentOf(await store.open("config.json"));
    const repository = fixture.hub.repositories.get(id)!;
    repository.commits[secondCommit] = { "model.safetensors": weights.slice(0, 100) };
    repository.refs["main"] = secondCommit;
    expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights.slice(0, 100));
  });

  it("tells how far it is in the events of transformers.js", async () => {
    const events: string[] = [];
    const onEvent = (event: object): void => void events.push(JSON.stringify(event));
    const store = fixture.open({ onEvent });
    await contentOf(await store.open("config.json"));
    const of = (fields: object): string => JSON.stringify(fields);
    const [name, file, total] = [id, "config.json", config.length];
    expect(events.slice(0, 3)).deep.equal([
      of({ status: "initiate", name, file }),
      of({ status: "download", name, file }),
      of({ status: "progress", name, file, progress: 0, loaded: 0, total }),
    ]);
    expect(events.slice(-3)).deep.equal([
      of({ status: "progress", name, file, progress: 100, loaded: total, total }),
      of({
        status: "progress_total",
        name,
        progress: 100,
        loaded: total,
        total,
        files: { [file]: { loaded: total, total } },
      }),
      of({ status: "done", name, file }),
    ]);
    await contentOf(await store.open("model.safetensors"));
    const last = JSON.parse(events.at(-2)!) as { status: string; total: number; files: object };
    expect([last.status, last.total, Object.keys(last.files)]).deep.equal([
      "progress_total",
      config.length + weights.length,
      ["config.json", "model.safetensors"],
    ]);
  });
});
