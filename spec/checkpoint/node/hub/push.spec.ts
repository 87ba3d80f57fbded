import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BarkModel } from "../../../../bark/model.ts";
import { BarkProcessor } from "../../../../bark/text/processor.ts";
import type { PushToHubOptions } from "../../../../bark/load/push_to_hub.ts";
import "../../../../checkpoint/node/index.ts";
import { fixtureCheckpoint } from "../../../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../../../support/gpu.ts";
import { serveHub, sha256, type LoopbackHub } from "../../../support/hub/hub_server.ts";
import { closedAddress } from "../../../support/loopback.ts";
import { engineErrorOf } from "../../../support/rejection.ts";

// The client is @huggingface/hub itself; the hub is on this machine.
describe("push_to_hub", () => {
  const token = "hf_writer";
  let hub: LoopbackHub;
  let folder: string;
  let processor: BarkProcessor;
  let model: BarkModel;
  let to: PushToHubOptions;
  before(async () => {
    processor = await BarkProcessor.from_pretrained("models/nano");
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());
  beforeEach(async () => {
    hub = await serveHub({});
    hub.uploads.writers[token] = "tester";
    folder = await mkdtemp(path.join(tmpdir(), "bark-push-spec-"));
    to = { token, endpoint: hub.url };
  });
  afterEach(async () => {
    await hub.close();
    await rm(folder, { recursive: true });
  });
  const load = { cache_dir: "", endpoint: "" };
  const from = () => ({ ...load, cache_dir: path.join(folder, "cache"), endpoint: hub.url });

  it("uploads a processor to a new repository of the user's, and it loads from there", async () => {
    const url = await processor.push_to_hub("voices", { ...to, private: true });
    expect(url).match(new RegExp(`^${hub.url}/tester/voices/commit/[0-9a-f]{40}$`));
    expect(hub.uploads.made).deep.equal({ "tester/voices": "private" });
    const [{ revision, title, paths }, ...others] = hub.uploads.commits;
    expect([revision, title, others]).deep.equal(["main", "Upload processor", []]);
    expect(paths).include.members(["tokenizer.json", "speaker_embeddings_path.json"]);
    const loaded = await BarkProcessor.from_pretrained("tester/voices", from());
    const options = { voice_preset: "en_speaker_1" };
    expect(await loaded("Hello", options)).deep.equal(await processor("Hello", options));
  });

  it("uploads a model into a branch, and what it saved before is left where it is", async () => {
    const saved = path.join(folder, "bark-odd");
    await processor.save_pretrained(saved);
    await writeFile(path.join(saved, "notes.txt"), "my own");
    await model.save_pretrained(saved, { push_to_hub: true, revision: "try", commit_message: "Odd", ...to });
    const { repo, paths, ...commit } = hub.uploads.commits[0];
    expect({ repo, ...commit }).deep.equal({ repo: "tester/bark-odd", revision: "try", title: "Odd", description: "" });
    expect(paths).deep.equal(["config.json", "generation_config.json", "model.safetensors"]);
    const { commits, refs } = hub.repositories.get(repo)!;
    for (const name of paths)
      expect(sha256(commits[refs["try"]][name]), name).equal(sha256(await readFile(path.join(saved, name))));
    const again = await BarkModel.from_pretrained(`${repo}@try`, { ...from(), gpu: await sharedGpu() });
    expect(again.generation_config.to_dict()).deep.equal(model.generation_config.to_dict());
    again.dispose();
  });

  it("goes on where it broke off: what has arrived is not sent again", async () => {
    const puts = (): number => hub.asked.filter(({ method }) => method === "PUT").length;
    hub.intercept = ({ url }, response) => {
      if (!/\/commit\//.test(url!)) return false;
      response.writeHead(503).end();
      return true;
    };
    const broken = await engineErrorOf(() => model.push_to_hub("tester/odd", to));
    expect(broken.message).match(/^tester\/odd: the push broke off: .*; push again: large files that have arrived/);
    expect([broken.code, puts(), hub.uploads.commits.length]).deep.equal(["io", 1, 0]);
    hub.intercept = undefined;
    await model.push_to_hub("tester/odd", { ...to, commit_description: "the second try" });
    expect([puts(), hub.uploads.commits.length]).deep.equal([1, 1]);
    expect(hub.uploads.commits[0]).include({ title: "Upload model", description: "the second try" });
  });

  it("opens a pull request", async () => {
    await processor.push_to_hub("tester/pull", { ...to, create_pr: true });
    expect(hub.uploads.commits[0].revision).equal("refs/pr/1");
    expect(
      Object.keys(hub.repositories.get("tester/pull")!.commits[hub.repositories.get("tester/pull")!.refs["main"]]),
    ).deep.equal([]);
  });

  it("sends nothing without the option, and leaves no temporary folder", async () => {
    const temporary = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter((name) => /^bark-push-[^s]/.test(name));
    const before = await temporary();
    await processor.save_pretrained(path.join(folder, "here"), { push_to_hub: false });
    for (const option of [{ repo_id: "tester/x" }, { token }, { commit_message: "x" }, { private: true }]) {
      const error = await engineErrorOf(() => processor.save_pretrained(path.join(folder, "there"), option));
      expect(error.message).match(/is not supported; give push_to_hub: true with it/);
    }
    expect([hub.asked, await readdir(folder)]).deep.equal([[], ["here"]]);
    await processor.push_to_hub("tester/x", to);
    expect(await temporary()).deep.equal(before);
  });

  it("says in one line what the hub, the network or the caller has against it", async () => {
    const offline = await closedAddress();
    const rows: [string, PushToHubOptions, string, RegExp][] = [
      ["tester/x", { ...to, token: false }, "usage", /^push_to_hub: needs an access token; give token/],
      ["tester/x", { ...to, token: "secret" }, "usage", /^push_to_hub: needs an access token of the hub, which begins/],
      [
        "tester/x",
        { ...to, token: "hf_reader" },
        "bad-input",
        /^tester\/x: the hub does not let this token write there/,
      ],
      ["x", { ...to, token: "hf_reader" }, "bad-input", /^x: the hub does not let this token write there/],
      ["other/x", to, "bad-input", /^other\/x: the hub does not let this token write there/],
      ["tester/x/y", to, "usage", /^repo_id: is not the name of a repository/],
      ["tester/x", { ...to, endpoint: offline }, "io", /^tester\/x: the push broke off: .*no answer from/],
      ["tester/x", { ...to, signal: AbortSignal.abort() }, "aborted", /^tester\/x: the push was stopped/],
      ["tester/x", { ...to, tags: ["a"] } as never, "usage", /^tags: /],
      ["tester/x", { ...to, privat: true } as never, "usage", /^privat: .*did you mean "private"/],
      ["", to, "usage", /^repo_id: wrong value/],
    ];
    for (const [repo, options, code, line] of rows) {
      const error = await engineErrorOf(() => processor.push_to_hub(repo, options));
      expect([error.code, error.message], line.source).satisfy(([c, m]: string[]) => c === code && line.test(m));
      expect(error.message).not.include("hf_reader");
    }
    expect(hub.uploads.commits).deep.equal([]);
  });
});
