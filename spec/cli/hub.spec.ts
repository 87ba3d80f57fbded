import { expect } from "chai";
import { statSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { bark, lines, type Finished } from "../support/bark_command.ts";
import { closedAddress } from "../support/loopback.ts";
import { firstCommit, repositoryOf, serveHub, type LoopbackHub } from "../support/hub/hub_server.ts";

const id = "someone/nano";
const weightsSize = statSync("models/nano/model.safetensors").size;

function expectRefusal({ code, stdout, stderr }: Finished, expected: number, says: RegExp): void {
  expect(code, stderr).equal(expected);
  expect(lines(stderr)).have.length(1);
  expect(stderr).match(says);
  expect(stdout).equal("");
}

describe("bark with a model on the hub", () => {
  let hub: LoopbackHub;
  let folder: string;
  before(async () => {
    hub = await serveHub({ [id]: await repositoryOf("models/nano") });
    folder = await mkdtemp(path.join(tmpdir(), "bark-cli-"));
  });
  after(async () => {
    await hub.close();
    await rm(folder, { recursive: true });
  });
  const run = async (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
    await bark(args, { cwd: folder, env: { HF_HOME: path.join(folder, "home"), HF_ENDPOINT: hub.url, ...env } });
  const say = ["say", "Hello.", "-m", id, "--greedy", "--seed", "7", "--max-semantic-tokens", "4"];

  it("fetches what it needs, shows how far it is, and speaks offline the next time", async () => {
    const first = await run([...say, "-v", "en_speaker_0", "-o", "a.wav"]);
    expect(first.code, first.stderr).equal(0);
    expect(first.stderr).match(
      new RegExp(`^download: ${(weightsSize / 1e6).toFixed(1)} MB, \\d+\\.\\d MB/s, \\d+\\.\\d s$`, "m"),
    );
    const snapshot = path.join(folder, "home/hub/models--someone--nano/snapshots", firstCommit);
    expect((await readdir(snapshot)).sort(), "what nobody opens is not fetched").deep.equal([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "speaker_embeddings",
      "speaker_embeddings_path.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(await readdir(path.join(snapshot, "speaker_embeddings"))).have.length(3);
    const asked = hub.asked.length;
    const second = await run([...say, "-v", "en_speaker_0", "-o", "b.wav"], { HF_HUB_OFFLINE: "1" });
    expect(second.code, second.stderr).equal(0);
    expect(second.stderr).not.match(/download/);
    expect(hub.asked.length).equal(asked);
    expect((await stat(path.join(folder, "b.wav"))).size).equal((await stat(path.join(folder, "a.wav"))).size);
  });

  it("lists voices and inspects, at a commit", async () => {
    const voices = await run(["voices", "-m", `${id}@${firstCommit}`]);
    expect(lines(voices.stdout), voices.stderr).have.length(2);
    const inspected = await run(["inspect", "-m", id]);
    expect(lines(inspected.stdout)[0], inspected.stderr).equal(id);
    expect(inspected.stdout).include("voices: 2 presets");
  });

  it("prefers a folder of that name", async () => {
    const local = await run(["inspect", "models/nano"]);
    expect(local.code).equal(3);
    expect(local.stderr, "the folder is missing here: the hub is asked").match(
      /^bark: models\/nano: there is no folder models\/nano here, and on the hub there is no such repository/,
    );
    const cwd = path.resolve(import.meta.dirname, "../..");
    const found = await bark(["inspect", "models/nano"], { cwd, env: { HF_ENDPOINT: await closedAddress() } });
    expect(lines(found.stdout)[0], found.stderr).equal("models/nano");
  });

  it("converts, without the files that are of no use", async () => {
    const converted = await run(["convert", id, "converted", "--dtype", "f32", "--quiet"]);
    expect(converted.code, converted.stderr).equal(0);
    expect(await readdir(path.join(folder, "converted"))).include.members(["config.json", "model.safetensors"]);
    const inspected = await run(["inspect", "converted"]);
    expect(inspected.stdout, inspected.stderr).match(/^weights: .* M F32/m);
  });

  it("exit 130: Ctrl-C in a download, of which what has come is kept", async () => {
    const home = path.join(folder, "stopped");
    const part = 1_000_000;
    hub.intercept = (_, response, server) => {
      if (server !== "storage") return false;
      response.writeHead(206, { "Content-Range": `bytes 0-${weightsSize - 1}/${weightsSize}` });
      response.write(new Uint8Array(part));
      return true;
    };
    const blobs = path.join(home, "hub/models--someone--nano/blobs");
    const left = async (): Promise<number> => {
      const names = await readdir(blobs).catch(() => []);
      const name = names.find((name) => name.endsWith(".incomplete"));
      // A small file may get its name between the two looks.
      const found = name === undefined ? undefined : await stat(path.join(blobs, name)).catch(() => undefined);
      return found?.size ?? 0;
    };
    const stopped = await bark(["inspect", id], {
      cwd: folder,
      env: { HF_HOME: home, HF_ENDPOINT: hub.url },
      onStart: (child) => {
        const timer = setInterval(() => {
          void left().then((size) => size === part && child.kill("SIGINT"));
        }, 50);
        child.on("close", () => clearInterval(timer));
      },
    });
    hub.intercept = undefined;
    expect(stopped.code, stopped.stderr).equal(130);
    expect(await left()).equal(part);
    expect(await readdir(path.join(home, "hub/.locks/models--someone--nano"))).deep.equal([]);
  });

  const refusals: [name: string, args: readonly string[], env: Record<string, string>, code: number, says: RegExp][] = [
    ["a repository that is not there", ["inspect", "some/one"], {}, 3, /some\/one: .*no such repository.*HF_TOKEN/],
    ["a revision that is not there", ["inspect", `${id}@v9`], {}, 3, /someone\/nano: .*no revision v9/],
    ["a name that is nothing", ["inspect", "nanno"], {}, 3, /nanno: no such file or folder, .*suno\/bark-small/],
    ["offline without a cache", ["inspect", "some/one"], { HF_HUB_OFFLINE: "1" }, 3, /some\/one: .*not in the cache/],
    ["an invalid endpoint", ["inspect", "some/one"], { HF_ENDPOINT: "hub" }, 2, /HF_ENDPOINT: /],
  ];
  for (const [name, args, env, code, says] of refusals)
    it(`exit ${code}: ${name}`, async () => expectRefusal(await run(args, env), code, says));

  it("exit 1: no network", async () => {
    const refused = await run(["inspect", "some/one"], { HF_ENDPOINT: await closedAddress() });
    expectRefusal(
      refused,
      1,
      /some\/one: there is no folder some\/one here; the hub cannot be reached: .*not in the cache/,
    );
  });
});
