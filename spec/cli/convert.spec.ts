import { expect } from "chai";
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bark, lines } from "../support/bark_command.ts";
import { sendRange, serve } from "../support/loopback.ts";
import { globalOf, op, pickle, shortText } from "../support/files/pickle_bytes.ts";
import { zipBytes } from "../support/files/zip_bytes.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const suno = path.join(root, "spec/fixtures/torch/suno");
const config = path.join(root, "spec/fixtures/storage_f32/config.json");

describe("bark convert", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-convert-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("writes a folder in Hugging Face layout and tells what it wrote", async () => {
    const run = await bark(["convert", suno, "out", "--dtype", "f16"], { cwd: folder });
    expect(run.code, run.stderr).equal(0);
    expect(run.stdout).match(/^out: 159 tensors, 0\.2 MB in model\.safetensors, \d+\.\d s\n$/);
    expect(run.stderr).match(/^convert: 0\.2 MB.*\n$/);
    expect((await readdir(path.join(folder, "out"))).sort()).deep.equal([
      ...["config.json", "generation_config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"],
    ]);
  });

  it("speaks from suno's files as they are, shows them, and says in JSON what it wrote of them", async () => {
    const spoken = await bark(["say", "hello, my dog", "-m", suno, "-o", "b.wav", "--greedy", "--json", "--quiet"], {
      cwd: folder,
    });
    expect(spoken.code, spoken.stderr).equal(0);
    expect(JSON.parse(spoken.stdout)).include({ dtype: "f32" });

    const shown = await bark(["inspect", suno]);
    expect(shown.code, shown.stderr).equal(0);
    expect(shown.stdout).include("semantic: 2 layers, 3 heads, hidden 24, block 128").and.include("0.11 M F32");
    const one = await bark(["inspect", path.join(suno, "fine.pt")]);
    expect(one.stdout).match(/^transformer\.wtes\.0\.weight {2}F32 {2}\[34, 24\]$/m);

    const run = await bark(["convert", suno, "json", "--quiet", "--json"], { cwd: folder });
    expect([run.code, run.stderr]).deep.equal([0, ""]);
    expect(JSON.parse(run.stdout)).include({ output: "json", tensors: 159 });
  });

  /** It ends with one line on stderr and leaves the folder as it was. */
  async function expectRefusal(args: readonly string[], code: number, says: RegExp): Promise<void> {
    const before = await readdir(folder);
    const run = await bark(["convert", ...args], { cwd: folder });
    expect(run.code, run.stderr).equal(code);
    expect(lines(run.stderr)).have.length(1);
    expect(run.stderr).match(says);
    expect(run.stdout).equal("");
    expect(await readdir(folder)).deep.equal(before);
  }

  it("exit 2: a destination that is not empty", async () => {
    await mkdir(path.join(folder, "full"));
    await writeFile(path.join(folder, "full/mine"), "");
    await expectRefusal([suno, "full"], 2, /full: the folder is not empty/);
  });

  it("exit 3: a pickle that calls os.system, which is not run", async () => {
    const command = `touch ${path.join(folder, "pwned")}`;
    const evil = pickle(globalOf("os", "system"), shortText(command), op.tuple1, op.reduce);
    await mkdir(path.join(folder, "evil"));
    await cp(config, path.join(folder, "evil/config.json"));
    await writeFile(
      path.join(folder, "evil/pytorch_model.bin"),
      zipBytes([{ name: "archive/data.pkl", content: evil }]),
    );
    await expectRefusal(["evil", "a"], 3, /evil\/pytorch_model\.bin: data\.pkl: .*os\.system, which is not allowed/);
  });

  it("exit 3: a checkpoint of before torch 1.6", async () => {
    await mkdir(path.join(folder, "old"));
    await cp(config, path.join(folder, "old/config.json"));
    await writeFile(path.join(folder, "old/pytorch_model.bin"), pickle(op.none));
    await expectRefusal(["old", "a"], 3, /old\/pytorch_model\.bin: is a torch checkpoint from before version 1\.6/);
  });

  it("exit 3: weights that are not those of config.json", async () => {
    await mkdir(path.join(folder, "other"));
    await cp(path.join(root, "spec/fixtures/torch/hf/pytorch_model.bin"), path.join(folder, "other/pytorch_model.bin"));
    const of = JSON.parse(await readFile(config, "utf8")) as { fine_acoustics_config: { num_layers: number } };
    of.fine_acoustics_config.num_layers++;
    await writeFile(path.join(folder, "other/config.json"), JSON.stringify(of));
    await expectRefusal(["other", "a"], 3, /other\/pytorch_model\.bin: tensor fine_acoustics\.layers\.\d.* is missing/);
  });

  for (const [name, signal] of [
    ["Ctrl-C", "SIGINT"],
    ["SIGTERM", "SIGTERM"],
    ["a terminal that is closed", "SIGHUP"],
  ] as const)
    it(`stops at ${name} with 130 and leaves nothing`, () => expectStop(signal));

  async function expectStop(signal: "SIGINT" | "SIGTERM" | "SIGHUP"): Promise<void> {
    const file = await readFile(path.join(root, "models/nano/model.safetensors"));
    let child: { kill(signal: NodeJS.Signals): void } | undefined;
    const server = await serve((request, response) => {
      const name = request.url!.slice(1);
      if (name === "model.safetensors") {
        // The header has been read: this is a tensor.
        if (Number(/bytes=(\d+)/.exec(request.headers.range!)?.[1]) > 100_000) child?.kill(signal);
        return void setTimeout(() => sendRange(request, response, file), 20);
      }
      void readFile(path.join(root, "models/nano", name)).then(
        (body) => sendRange(request, response, body),
        () => response.writeHead(404).end(),
      );
    });
    const before = await readdir(folder);
    const run = await bark(["convert", server.url, "stopped"], {
      cwd: folder,
      onStart: (started) => (child = started),
    });
    await server.close();
    expect(run.code, run.stderr).equal(130);
    expect(lines(run.stderr).at(-1)).equal("bark: interrupted; nothing was written");
    expect(await readdir(folder)).deep.equal(before);
  }

  it("exit 1: no room to write, nothing left half written", async function () {
    if (process.platform === "win32") return this.skip();
    const before = await readdir(folder);
    const entry = path.join(root, "cli/main.ts");
    const command = 'ulimit -f 4000; exec "$0" --import "$1" "$2" convert "$3" limited --quiet';
    const args = [process.execPath, import.meta.resolve("tsx"), entry, path.join(root, "models/nano")];
    const child = spawn("sh", ["-c", command, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    expect(await new Promise((resolve) => child.on("close", resolve)), stderr).equal(1);
    expect(stderr).match(/^bark: limited\/model\.safetensors: cannot be written: EFBIG.*; give another path\n$/);
    expect(await readdir(folder)).deep.equal(before);
  });
});
